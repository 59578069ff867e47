// Full size of E2 and E5, the object store and restarts: a minute without S3, a restart of all under load.
import { proveByTest } from './run-jest.mjs';

proveByTest('test/cluster/promise.test.ts', { VNA_TEST_S3_OUTAGE_SECONDS: '60', VNA_TEST_PAUSE_MS: '0' }, 'S3 server that is away|given a restart');
