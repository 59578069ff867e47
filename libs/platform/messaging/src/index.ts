export { EventLog, type GroupLag, type LogRecord, type NewLogRecord, type Subscription, type SubscriptionOptions } from './event-log.js';
export { OutboxWriter } from './outbox-writer.js';
