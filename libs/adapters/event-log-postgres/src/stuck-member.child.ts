// A process of the contract test: joins a group, reports its first batch and never finishes it.
import { createLogger } from '@perennia/telemetry';
import { PostgresEventLog } from './postgres-event-log.js';

const [url, topic, group] = process.argv.slice(2) as [string, string, string];
const log = await PostgresEventLog.open({ url, log: createLogger('stuck-member', 'silent') });
await log.subscribe({
  topic, group, maxRecords: 100,
  handle: (records) => {
    process.send!(records.length);
    return new Promise(() => {});
  },
});
