import { describe, expect, it } from '@jest/globals';
import { envelopeSchema, INSTANCE_RECEIVED, instanceReceivedSchema, MAX_RECORD_BYTES, partitionOfBucket, type Receipt } from '@perennia/contracts';
import { CorruptDataError } from '@perennia/errors';
import type { LandedRecord } from '@perennia/storage';
import { receipt } from '@perennia/testing';
import { logRecordOf } from './receipt-route.js';
import { receiptTail, traceparentOf } from './receipt-tail.js';

const STORED = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const SENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-1111111111111111-01';
const place = { tier: 'landing', key: 'ingest/seg-0000@7', offset: 4096, length: 12_000 };
function landed(differences: Partial<Receipt> = {}): LandedRecord {
  const { receiptId, tenantId, bucket, receivedAt, studyInstanceUid, ...rest } = receipt();
  const text = JSON.stringify({ receiptId, tenantId, bucket, receivedAt, studyInstanceUid, ...rest, ...differences });
  return { position: { generation: 7, offset: 0 }, receipt: Buffer.from(text), place };
}

describe('logRecordOf', () => {
  it('given a receipt, then the envelope is valid, names its partition and carries the receipt with its place', () => {
    const record = landed();
    const { partition, value } = logRecordOf(record, 8, 'ingest');
    const envelope = JSON.parse(String(value)) as { bucket: number; data: unknown };
    expect(() => envelopeSchema.parse(envelope)).not.toThrow();
    expect(instanceReceivedSchema.parse(envelope.data)).toEqual({ ...(JSON.parse(record.receipt.toString()) as object), place });
    expect(envelope).toMatchObject({ type: INSTANCE_RECEIVED, producer: 'ingest' });
    expect(partition).toBe(partitionOfBucket(envelope.bucket, 8));
  });

  it('given a frame index too large for the log, then the record refers to it and fits', () => {
    const ranges = 'A'.repeat(2_000_000);
    const { value } = logRecordOf(landed({ frameIndex: { kind: 'encapsulated', frames: 300_000, offset: 1000, source: 'extended', ranges } }), 8, 'ingest');
    expect((JSON.parse(String(value)) as { data: Receipt }).data.frameIndex).toEqual({ kind: 'reference', frames: 300_000 });
    expect(Buffer.byteLength(value)).toBeLessThan(MAX_RECORD_BYTES);
  });

  it('given header values too large for the log, then the object stays findable by its UIDs', () => {
    const attributes = { study: { '00081030': { vr: 'LO', Value: ['x'.repeat(400_000)] } }, series: {}, instance: {} };
    const { value } = logRecordOf(landed({ attributes }), 8, 'ingest');
    expect(Buffer.byteLength(value)).toBeLessThan(MAX_RECORD_BYTES);
  });

  it('given a receipt whose way is recorded, then its traceparent is in the envelope, unless that of the sending span is given', () => {
    const text = landed().receipt.toString();
    const record = { ...landed(), receipt: Buffer.from(`${text.slice(0, -1)}${receiptTail(STORED)}`) };
    const envelopes = [logRecordOf(record, 8, 'ingest'), logRecordOf(record, 8, 'ingest', SENT)].map(({ value }) => JSON.parse(String(value)) as { traceparent: string; data: Receipt });
    expect(envelopes.map(({ traceparent, data }) => [traceparent, data.traceparent])).toEqual([[STORED, STORED], [SENT, STORED]]);
    for (const envelope of envelopes) expect(() => envelopeSchema.parse(envelope)).not.toThrow();
    expect(JSON.parse(String(logRecordOf(landed(), 8, 'ingest').value))).not.toHaveProperty('traceparent');
  });

  it.each([
    ['the usual end', '{"onConflict":"keep-first"}'],
    ['another end with the digit that tells', `{"x":"${'y'.repeat(100)}1"}`],
    ['next to nothing', '1"}'],
    ['nothing', ''],
  ])('given a receipt with %s, then there is no traceparent in it', (_, text) => {
    expect(traceparentOf({ receipt: Buffer.from(text) })).toBeUndefined();
  });

  it('given text that is no receipt, then it says so', () => {
    expect(() => logRecordOf({ position: { generation: 1, offset: 0 }, receipt: Buffer.from('{"x":1}'), place }, 8, 'ingest')).toThrow(CorruptDataError);
  });
});
