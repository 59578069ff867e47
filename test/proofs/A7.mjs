// Full size of A7: PostgreSQL away for 60 s while senders store.
import { proveByTest } from './run-jest.mjs';

proveByTest('test/faults/database-outage.test.ts', { VNA_TEST_OUTAGE_SECONDS: '60' });
