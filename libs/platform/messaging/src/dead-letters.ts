// Records on which a handler gave up. They are kept whole, told on a topic of their own, and can be replayed to that one
// handler; the other groups never see them again.
import { randomUUID } from 'node:crypto';
import { ArchiveError, NotFoundError } from '@perennia/errors';
import { BUCKETS, DEAD_LETTER, MAX_RECORD_BYTES, type DeadLetter, type Envelope } from '@perennia/contracts';
import type { ControlDatabase } from '@perennia/persistence';
import type { Clock } from '@perennia/telemetry';
import type { EventLog, LogRecord } from './event-log.js';

export type RecordHandler = (records: LogRecord[]) => Promise<void>;
export interface DeadLetterEntry {
  id: string;
  topic: string;
  partition: number;
  offset: number;
  group: string;
  key: string;
  errorCode: string;
  reason: string;
  attempts: number;
  state: 'open' | 'replayed' | 'discarded';
  createdAt: Date;
  /** Asked for and not done yet. */
  replayRequestedAt: Date | null;
}
export interface DeadLetterFilter {
  group?: string;
  state?: DeadLetterEntry['state'];
  /** Default 100. */
  limit?: number;
}

const ENTRY = `id, topic, partition, offset_number as "offset", group_name as "group", key, error_code as "errorCode", reason, attempts, state,
  created_at as "createdAt", replay_requested_at as "replayRequestedAt"`;

export class DeadLetters {
  private readonly handlers = new Map<string, RecordHandler>();

  constructor(private readonly control: ControlDatabase, private readonly eventLog: EventLog, private readonly clock: Clock) {}

  /** Names the handler that a replay goes to; ConsumerRunner does it. */
  register(topic: string, group: string, handle: RecordHandler): void {
    this.handlers.set(`${topic}\n${group}`, handle);
  }

  /** Keeps the record and tells it. Doing it twice for one record lists it once. @throws UnavailableError */
  async add(record: LogRecord, group: string, error: unknown, attempts: number): Promise<void> {
    const { code: errorCode, reason } = describe(error);
    const id = randomUUID();
    const original = record.value.toString();
    await this.control.query(
      `insert into control.dead_letter (id, topic, partition, offset_number, group_name, key, error_code, reason, attempts, original)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (topic, group_name, partition, offset_number) do nothing`,
      [id, record.topic, record.partition, record.offset, group, record.key, errorCode, reason, attempts, original],
    );
    const { topic, partition, offset } = record;
    await this.tell(id, record, { topic, partition, offset, group, errorCode, reason, attempts, original });
  }

  /** Newest first; without the records themselves. */
  list({ group, state = 'open', limit = 100 }: DeadLetterFilter = {}): Promise<DeadLetterEntry[]> {
    return this.control.query<DeadLetterEntry>(
      `select ${ENTRY} from control.dead_letter where state = $1 and ($2::text is null or group_name = $2) order by created_at desc, id limit $3`,
      [state, group ?? null, limit],
    );
  }

  /** One letter with its record, which may hold patient data. @throws NotFoundError */
  async show(id: string): Promise<DeadLetterEntry & { original: string }> {
    const [entry] = await this.control.query<DeadLetterEntry & { original: string }>(`select ${ENTRY}, original from control.dead_letter where id = $1`, [id]);
    if (!entry) throw new NotFoundError(`There is no dead letter ${id}.`, { remedy: 'List them with "vna dead-letters list".' });
    return entry;
  }

  /** Asks the process of its handler to replay open letters: those named, or all. @returns whom it was asked for */
  async requestReplay(ids: readonly string[] | 'all'): Promise<string[]> {
    const rows = await this.control.query<{ id: string }>(
      `update control.dead_letter set replay_requested_at = now() where state = 'open' and ($1::uuid[] is null or id = any($1)) returning id`,
      [ids === 'all' ? null : ids],
    );
    return rows.map(({ id }) => id);
  }

  /** Requested replays of handlers of this process, first asked first. */
  async requested(): Promise<string[]> {
    const rows = await this.control.query<{ id: string; topic: string; group: string }>(
      `select id, topic, group_name as "group" from control.dead_letter where state = 'open' and replay_requested_at is not null order by replay_requested_at limit 100`);
    return rows.filter(({ topic, group }) => this.handlers.has(`${topic}\n${group}`)).map(({ id }) => id);
  }

  /** The handler gave up again: the letter stays open with the new reason. */
  async refuseReplay(id: string, error: unknown): Promise<void> {
    const { code, reason } = describe(error);
    await this.control.query(
      `update control.dead_letter set replay_requested_at = null, attempts = attempts + 1, error_code = $2, reason = $3 where id = $1 and state = 'open'`, [id, code, reason]);
  }

  /** Runs the handler of its group on the record, in this process. @throws NotFoundError; whatever the handler throws */
  async replay(id: string): Promise<void> {
    const [row] = await this.control.query<Omit<LogRecord, 'value'> & { group: string; original: string }>(
      `select topic, partition, offset_number as "offset", group_name as "group", key, original from control.dead_letter where id = $1 and state = 'open'`, [id]);
    if (!row) throw new NotFoundError(`There is no open dead letter ${id}.`);
    const { group, original, ...record } = row;
    const handle = this.handlers.get(`${record.topic}\n${group}`);
    if (!handle) throw new NotFoundError(`The handler ${group} does not run in this process.`, { remedy: 'Replay it where that service runs.' });
    await handle([{ ...record, value: Buffer.from(original) }]);
    await this.settle(id, 'replayed');
  }

  /** Closes a letter for good; the record stays in the table. @throws NotFoundError */
  discard(id: string): Promise<void> {
    return this.settle(id, 'discarded');
  }

  private async settle(id: string, state: 'replayed' | 'discarded'): Promise<void> {
    const settled = await this.control.query(`update control.dead_letter set state = $2, settled_at = now() where id = $1 and state = 'open' returning 1`, [id, state]);
    if (settled.length === 0) throw new NotFoundError(`There is no open dead letter ${id}.`);
  }

  private async tell(id: string, { key, partition }: LogRecord, data: DeadLetter): Promise<void> {
    const envelope: Envelope<DeadLetter> = {
      id, type: DEAD_LETTER, version: 1, tenantId: tenantOf(data.original), key, bucket: Math.floor((partition * BUCKETS) / this.eventLog.partitions),
      occurredAt: new Date(this.clock.nowMs()).toISOString(), producer: data.group, data,
    };
    const whole = JSON.stringify(envelope);
    // Wrapped, a record of nearly the largest size is above it: it is read from the table then.
    const value = Buffer.byteLength(whole) <= MAX_RECORD_BYTES ? whole : JSON.stringify({ ...envelope, data: { ...data, original: '' } });
    await this.eventLog.append(DEAD_LETTER, [{ partition, key, value }]);
  }
}

/** Messages of foreign errors may hold values of the record: only their kind is told. */
function describe(error: unknown): { code: string; reason: string } {
  if (error instanceof ArchiveError) return { code: error.code, reason: error.message };
  return { code: 'UNEXPECTED', reason: `The handler failed unexpectedly (${error instanceof Error ? error.name : typeof error}).` };
}

/** A record that is not even JSON belongs to nobody we can name. */
function tenantOf(value: string): string {
  try {
    const { tenantId } = JSON.parse(value) as { tenantId?: unknown };
    return typeof tenantId === 'string' ? tenantId : 'unknown';
  } catch {
    return 'unknown';
  }
}
