// Full size of E2 and E5: 200 kills in a cluster, ten minutes without Kafka, one without S3, the others take over within ten seconds.
import { proveByTest } from './run-jest.mjs';

proveByTest('test/cluster/promise.test.ts', {
  VNA_TEST_CLUSTER_KILLS: '200', VNA_TEST_KAFKA_OUTAGE_SECONDS: '600', VNA_TEST_S3_OUTAGE_SECONDS: '60', VNA_TEST_TAKEOVER_SECONDS: '10', VNA_TEST_PAUSE_MS: '0',
});
