// A process of the tests: starts the server, tells where it is, and is killed.
import { createLogger } from '@perennia/telemetry';
import { EmbeddedPostgres } from './embedded-postgres.js';

const server = await EmbeddedPostgres.start({ dataDir: process.argv[2]!, log: createLogger('launcher', 'silent') });
process.send!({ url: server.url, pid: server.pid });
setInterval(() => {}, 1000);
