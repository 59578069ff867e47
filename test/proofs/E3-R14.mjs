// Full size of R14: 32 objects of 500 MB into a store that hangs, and into one that crawls.
import { proveByTest } from './run-jest.mjs';

proveByTest('test/faults/s3.test.ts', { VNA_TEST_S3_STORES: '10000', VNA_TEST_S3_HANGING_MB: '500' }, 'R14');
