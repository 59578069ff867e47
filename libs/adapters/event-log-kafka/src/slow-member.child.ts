// A process of a test: a member that takes its time and tells which records it has handled. It can be stopped and woken up again.
import { createLogger } from '@perennia/telemetry';
import { KafkaEventLog } from './kafka-event-log.js';

const [broker, topic, group] = process.argv.slice(2) as [string, string, string];
const log = await KafkaEventLog.open({ connection: { brokers: [broker], clientId: 'slow-member' }, sessionMs: 6000, log: createLogger('slow-member', 'silent') });
await log.subscribe({
  topic, group, maxRecords: 4,
  handle: async (records) => {
    process.send!({ begun: records.length });
    await new Promise((resolve) => setTimeout(resolve, 200));
    process.send!({ handled: records.map(({ value }) => (JSON.parse(value.toString()) as { number: number }).number) });
  },
});
