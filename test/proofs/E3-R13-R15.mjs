// Full size of R13 to R15: 10,000 stores with errors in three of ten requests, 32 objects of 500 MB into a store that hangs, 1,000 into one that lies.
import { proveByTest } from './run-jest.mjs';

proveByTest('test/faults/s3.test.ts', { VNA_TEST_S3_STORES: '10000', VNA_TEST_S3_LIES: '1000', VNA_TEST_S3_HANGING_MB: '500' });
