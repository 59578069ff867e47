// Full size of A4: 6 GiB by every road (or by `--road C-STORE|STOW-RS|import`), with an Extended Offset Table and with an empty basic one.
import { parseArgs } from 'node:util';
import { proveByTest } from './run-jest.mjs';

const { values } = parseArgs({ options: { road: { type: 'string' } }, strict: false });
proveByTest('test/blackbox/large-object.test.ts', { VNA_TEST_LARGE_BYTES: String(6 * 2 ** 30) }, values.road && `the road ${values.road}`);
