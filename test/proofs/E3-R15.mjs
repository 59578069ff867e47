// Full size of R15: 1,000 stores to a store that lies about every object, 5,000 to one that lies about half of them.
import { proveByTest } from './run-jest.mjs';

proveByTest('test/faults/s3.test.ts', { VNA_TEST_S3_LIES: '1000' }, 'R15');
