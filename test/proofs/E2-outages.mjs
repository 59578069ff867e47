// Full size of E2 and E5, second half: ten minutes without Kafka under load, one without S3, a restart of all under load.
import { proveByTest } from './run-jest.mjs';

proveByTest('test/cluster/promise.test.ts', { VNA_TEST_KAFKA_OUTAGE_SECONDS: '600', VNA_TEST_S3_OUTAGE_SECONDS: '60', VNA_TEST_PAUSE_MS: '10' }, 'is away|given a restart');
