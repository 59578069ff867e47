// Full size of R16: 1,000 of 100,000 instances rot, ten pairs change places.
import { proveByTest } from './run-jest.mjs';

proveByTest('test/faults/bit-rot.test.ts', { VNA_TEST_ROT_INSTANCES: '100000' });
