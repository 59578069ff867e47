// Full size of R13: 10,000 stores with errors in three of ten requests.
import { proveByTest } from './run-jest.mjs';

proveByTest('test/faults/s3.test.ts', { VNA_TEST_S3_STORES: '10000' }, 'R13');
