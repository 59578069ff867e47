// A process of the contract test: joins a group, reports its first batch and never finishes it.
import { createLogger } from '@perennia/telemetry';
import { KafkaEventLog } from './kafka-event-log.js';

const [broker, topic, group] = process.argv.slice(2) as [string, string, string];
const log = await KafkaEventLog.open({ connection: { brokers: [broker], clientId: 'stuck-member' }, sessionMs: 6000, log: createLogger('stuck-member', 'silent') });
await log.subscribe({
  topic, group, maxRecords: 100,
  handle: (records) => {
    process.send!(records.length);
    return new Promise(() => {});
  },
});
