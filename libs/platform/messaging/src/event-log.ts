// Port: the log of facts. Order per partition, groups with stored progress, redelivery after a failure.

export interface NewLogRecord {
  partition: number;
  key: string;
  /** The envelope as JSON text; bytes are UTF-8. */
  value: string | Buffer;
}
export interface LogRecord {
  topic: string;
  partition: number;
  key: string;
  /** The envelope as JSON text in UTF-8: bytes, because batches of strings would be copied again and again by the collector. */
  value: Buffer;
  /** Rises within its partition; not necessarily by one. */
  offset: number;
}

export interface SubscriptionOptions {
  topic: string;
  group: string;
  /** Largest batch handed over, over all partitions this member owns. */
  maxRecords: number;
  /**
   * Called with records in order per partition, one call at a time per subscription. Progress is stored when it resolves;
   * when it rejects, the same records come again. (Bisecting, backoff and dead letters are ConsumerRunner's.)
   */
  handle(records: LogRecord[]): Promise<void>;
}
export interface Subscription {
  /** Finishes the batch in hand, stores its progress, leaves the group. */
  close(): Promise<void>;
}
export interface GroupLag {
  partition: number;
  committedOffset: number;
  endOffset: number;
}

export abstract class EventLog {
  abstract readonly partitions: number;
  /** Resolves when all records are durable in the log, in the given order per partition. @throws UnavailableError */
  abstract append(topic: string, records: readonly NewLogRecord[]): Promise<void>;
  abstract subscribe(options: SubscriptionOptions): Promise<Subscription>;
  abstract lag(topic: string, group: string): Promise<GroupLag[]>;
  /** Sets a group's progress (all partitions when `partition` is omitted): replay. The group must have no member. */
  abstract seek(topic: string, group: string, offset: number | 'beginning' | 'end', partition?: number): Promise<void>;
  /** Resolves when the log answers. @throws UnavailableError, ConfigurationError */
  abstract ping(): Promise<void>;
  abstract close(): Promise<void>;
}
