// Full size of R18: each disk filled to its last block three times.
import { proveByTest } from './run-jest.mjs';

proveByTest('test/faults/full-disks.test.ts', { VNA_TEST_FULL_DISKS: '3' });
