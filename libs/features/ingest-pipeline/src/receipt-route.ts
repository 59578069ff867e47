// Reads where a receipt goes from the head of its text, and turns it into the record of the event log without parsing it.
import { INSTANCE_RECEIVED, MAX_RECORD_BYTES, partitionOfBucket, type Receipt } from '@perennia/contracts';
import { CorruptDataError } from '@perennia/errors';
import type { NewLogRecord } from '@perennia/messaging';
import type { LandedRecord } from '@perennia/storage';
import { traceparentOf } from './receipt-tail.js';

const head = /^\{"receiptId":"([0-9a-f-]{36})","tenantId":"([a-z0-9-]+)","bucket":(\d+),"receivedAt":"([^"]+)","studyInstanceUid":"([0-9.]+)"/;

/** Frame indexes above this size stay in the landing record and are referred to (claim check). */
const FRAME_INDEX_LIMIT_BYTES = 32 * 1024;

/** Longer than the fields that begin a receipt; those are ASCII. */
const HEAD_BYTES = 512;
const LAST_BRACE_BYTES = 1;

/** The beginning of a receipt, where the fields are by which it is routed. */
export function receiptHead({ receipt }: LandedRecord): string {
  return receipt.toString('latin1', 0, HEAD_BYTES);
}

/** @param traceparent of the envelope, in place of the receipt's own; @throws CorruptDataError when the text is not a receipt */
export function logRecordOf(record: LandedRecord, partitions: number, producer: string, traceparent = traceparentOf(record)): NewLogRecord {
  const route = head.exec(receiptHead(record));
  if (!route) throw new CorruptDataError('A landing record holds no receipt that can be read.', { details: { position: record.position } });
  const [, receiptId, tenantId, bucket, receivedAt, studyInstanceUid] = route;
  const receipt = record.receipt.length > FRAME_INDEX_LIMIT_BYTES ? withoutLargeFrameIndex(record.receipt) : record.receipt;
  const key = `${tenantId}/${studyInstanceUid}`;
  const before =
    `{"id":"${receiptId}","type":"${INSTANCE_RECEIVED}","version":1,"tenantId":"${tenantId}","key":"${key}","bucket":${bucket},` +
    `"occurredAt":"${receivedAt}","producer":"${producer}",${traceparent === undefined ? '' : `"traceparent":"${traceparent}",`}"data":`;
  const value = Buffer.concat([Buffer.from(before), receipt.subarray(0, -LAST_BRACE_BYTES), Buffer.from(`,"place":${JSON.stringify(record.place)}}}`)]);
  return { partition: partitionOfBucket(Number(bucket), partitions), key, value };
}

function withoutLargeFrameIndex(text: Buffer): Buffer {
  const receipt = JSON.parse(text.toString()) as Receipt;
  if (receipt.frameIndex.kind === 'encapsulated' && receipt.frameIndex.ranges.length > FRAME_INDEX_LIMIT_BYTES) {
    receipt.frameIndex = { kind: 'reference', frames: receipt.frameIndex.frames };
  }
  const slim = JSON.stringify(receipt);
  // Leaves room for the envelope; what still is too large is an object with absurd header values, kept but searchable by UIDs only.
  const fits = Buffer.byteLength(slim) < MAX_RECORD_BYTES - 4096;
  return Buffer.from(fits ? slim : JSON.stringify({ ...receipt, attributes: { study: {}, series: {}, instance: {} } }));
}
