// Full size of A4: 6 GiB by every road, with an Extended Offset Table and with an empty basic one.
import { proveByTest } from './run-jest.mjs';

proveByTest('test/blackbox/large-object.test.ts', { VNA_TEST_LARGE_BYTES: String(6 * 2 ** 30) });
