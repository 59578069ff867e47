// EventLog in memory, for tests of services. Several logs over one MemoryLogStore stand for several processes.
import { ConflictError } from '@perennia/errors';
import { assertAppendable, EventLog, type GroupLag, type LogRecord, type NewLogRecord, type Subscription, type SubscriptionOptions } from '@perennia/messaging';

interface Member {
  owned: Set<number>;
  wake(): void;
}
class Group {
  readonly next: number[];
  readonly members = new Set<Member>();

  constructor(readonly partitions: number) {
    this.next = Array.from({ length: partitions }, () => 0);
  }

  /** Called by a member between its batches; one with a batch in hand keeps what it has. */
  rebalance(member: Member): void {
    const share = Math.ceil(this.partitions / this.members.size);
    for (const partition of [...member.owned].slice(share)) member.owned.delete(partition);
    const taken = new Set([...this.members].flatMap(({ owned }) => [...owned]));
    for (let partition = 0; partition < this.partitions && member.owned.size < share; partition++) if (!taken.has(partition)) member.owned.add(partition);
  }
  wake(): void {
    for (const member of this.members) member.wake();
  }
}

/** What the logs of one test share. */
export class MemoryLogStore {
  readonly records = new Map<string, LogRecord[][]>();
  readonly groups = new Map<string, Group>();

  constructor(readonly partitions = 8) {}

  topic(topic: string): LogRecord[][] {
    return getOrMake(this.records, topic, () => Array.from({ length: this.partitions }, () => []));
  }
  group(topic: string, group: string): Group {
    return getOrMake(this.groups, `${topic}\n${group}`, () => new Group(this.partitions));
  }
  wake(topic: string): void {
    for (const [key, group] of this.groups) if (key.startsWith(`${topic}\n`)) group.wake();
  }
}

export class MemoryEventLog extends EventLog {
  private readonly crashes: (() => void)[] = [];
  private readonly subscriptions = new Set<Subscription>();

  constructor(private readonly store = new MemoryLogStore()) {
    super();
  }

  get partitions(): number {
    return this.store.partitions;
  }

  async ping(): Promise<void> {}

  async append(topic: string, records: readonly NewLogRecord[]): Promise<void> {
    for (const record of records) assertAppendable(record, this.partitions);
    const partitions = this.store.topic(topic);
    for (const record of records) {
      const kept = partitions[record.partition]!;
      kept.push({ topic, partition: record.partition, offset: kept.length, key: record.key, value: Buffer.from(record.value) });
    }
    this.store.wake(topic);
  }

  async subscribe(options: SubscriptionOptions): Promise<Subscription> {
    const group = this.store.group(options.topic, options.group);
    let closing = false;
    let signal: (() => void) | undefined;
    const member: Member = { owned: new Set(), wake: () => signal?.() };
    const leave = (): void => {
      closing = true;
      group.members.delete(member);
      group.wake();
    };
    group.members.add(member);
    group.wake();
    const run = async (): Promise<void> => {
      while (!closing) {
        group.rebalance(member);
        const batch = this.nextBatch(options, group, member);
        if (batch.length === 0) {
          await new Promise<void>((resolve) => (signal = resolve));
          continue;
        }
        const handled = await options.handle(batch).then(() => true, () => false);
        if (handled && group.members.has(member)) for (const { partition, offset } of batch) group.next[partition] = offset + 1;
        // A turn of the event loop between batches: a handler that always rejects must not starve the test.
        await new Promise(setImmediate);
        group.wake();
      }
    };
    const running = run();
    this.crashes.push(leave);
    const subscription = {
      close: async (): Promise<void> => {
        closing = true;
        signal?.();
        await running;
        leave();
        this.subscriptions.delete(subscription);
      },
    };
    this.subscriptions.add(subscription);
    return subscription;
  }

  async lag(topic: string, group: string): Promise<GroupLag[]> {
    const { next } = this.store.group(topic, group);
    return this.store.topic(topic).map((records, partition) => ({ partition, committedOffset: next[partition]!, endOffset: records.length }));
  }

  async seek(topic: string, group: string, offset: number | 'beginning' | 'end', partition?: number): Promise<void> {
    const { next, members } = this.store.group(topic, group);
    if (members.size > 0) throw new ConflictError(`The consumer group ${group} has members.`);
    this.store.topic(topic).forEach((records, index) => {
      if (partition === undefined || partition === index) next[index] = offset === 'beginning' ? 0 : offset === 'end' ? records.length : Math.min(offset, records.length);
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => subscription.close()));
  }

  /** As kill -9: its members are gone at once, what they have in hand is not stored. */
  crash(): void {
    for (const leave of this.crashes) leave();
    this.subscriptions.clear();
  }

  private nextBatch({ topic, maxRecords }: SubscriptionOptions, group: Group, member: Member): LogRecord[] {
    const partitions = this.store.topic(topic);
    return [...member.owned].flatMap((partition) => partitions[partition]!.slice(group.next[partition], group.next[partition]! + maxRecords)).slice(0, maxRecords);
  }
}

function getOrMake<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
