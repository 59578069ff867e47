export { ConsumerProgress, type ConsumerPosition } from './consumer-progress.js';
export { ConsumerRunner, type ConsumerOptions, type ConsumerRunnerParts } from './consumer-runner.js';
export { DeadLetterReplays } from './dead-letter-replays.js';
export { DeadLetters, type DeadLetterEntry, type DeadLetterFilter, type RecordHandler } from './dead-letters.js';
export { EventLog, type GroupLag, type LogRecord, type NewLogRecord, type Subscription, type SubscriptionOptions } from './event-log.js';
export { assertAppendable, keptUntilClosed } from './log-rules.js';
export { LagWatch } from './lag-watch.js';
export { OutboxRelay, type RelayTurn } from './outbox-relay.js';
export { OutboxWriter } from './outbox-writer.js';
