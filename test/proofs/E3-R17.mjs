// Full size of R17: 60 kills of filing and copying, 10,000 reads meanwhile.
import { proveByTest } from './run-jest.mjs';

proveByTest('test/faults/tier-move.test.ts', { VNA_TEST_MOVE_READS: '10000', VNA_TEST_MOVE_KILLS: '60' });
