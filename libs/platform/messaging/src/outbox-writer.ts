// Events that must be emitted exactly if a transaction commits are written as rows in that transaction; the relay of the
// plane appends them to the log afterwards.
import { LimitExceededError } from '@perennia/errors';
import { MAX_RECORD_BYTES, type Envelope } from '@perennia/contracts';
import type { SqlRunner } from '@perennia/persistence';

export class OutboxWriter {
  private readonly insert: string;

  constructor(plane: 'control' | 'imaging') {
    this.insert = `
      insert into ${plane}.outbox (topic, bucket, key, value)
      select topic, bucket, key, value from json_to_recordset($1::json) as event (topic text, bucket smallint, key text, value text)`;
  }

  /** @param sql the caller's transaction; @param envelopes their `type` is the topic. @throws LimitExceededError when one is too large */
  async write(sql: SqlRunner, envelopes: readonly Envelope<unknown>[]): Promise<void> {
    if (envelopes.length === 0) return;
    const rows = envelopes.map((envelope) => ({ topic: envelope.type, bucket: envelope.bucket, key: envelope.key, value: envelopeText(envelope) }));
    await sql.prepared(this.insert, [JSON.stringify(rows)]);
  }
}

function envelopeText(envelope: Envelope<unknown>): string {
  const text = JSON.stringify(envelope);
  if (Buffer.byteLength(text) > MAX_RECORD_BYTES) {
    throw new LimitExceededError(`An event of type ${envelope.type} is larger than ${MAX_RECORD_BYTES} bytes.`, { remedy: 'Refer to an object range instead.' });
  }
  return text;
}
