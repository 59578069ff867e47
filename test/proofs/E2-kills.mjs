// Full size of E2 and E5, first half: 200 kills in a cluster, the others take over within ten seconds.
import { proveByTest } from './run-jest.mjs';

proveByTest('test/cluster/promise.test.ts', { VNA_TEST_CLUSTER_KILLS: '200', VNA_TEST_TAKEOVER_SECONDS: '10', VNA_TEST_PAUSE_MS: '0' }, 'work|kills|take over');
