// Full size of E2, the log: ten minutes without Kafka under load.
import { proveByTest } from './run-jest.mjs';

proveByTest('test/cluster/promise.test.ts', { VNA_TEST_KAFKA_OUTAGE_SECONDS: '600', VNA_TEST_PAUSE_MS: '10' }, 'a broker that is away');
