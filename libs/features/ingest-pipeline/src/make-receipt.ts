// Writes the receipt of an object: the JSON text that lands beside its bytes and travels to the indexers unchanged.
import { bucketOf, type Receipt } from '@perennia/contracts';
import type { HeaderSummary } from '@perennia/dicom-stream';
import type { ReceiveContext } from './receive-context.js';
import { newReceiptId } from './receipt-id.js';
import { receiptTail } from './receipt-tail.js';

export interface ReceivedObject {
  context: ReceiveContext;
  summary: HeaderSummary;
  transferSyntaxUid: string;
  datasetOffset: number;
  objectLength: number;
  datasetSha256: string;
  nowMs: number;
}

/** What a receipt begins with; the summary holds the rest as texts. */
type ReceiptBeginning = Omit<Receipt, 'attributes' | 'search' | 'source' | 'onConflict' | 'traceparent'>;

/** The routing fields come first: ReceiptRelay reads them without parsing the rest (see receipt-route.ts). */
export function makeReceipt(object: ReceivedObject): { receiptId: string; bucket: number; text: string } {
  const { context, summary } = object;
  const { tenantId, name: profile, onConflict } = context.profile;
  const receiptId = newReceiptId(object.nowMs);
  const bucket = bucketOf(tenantId, summary.studyInstanceUid);
  const beginning: ReceiptBeginning = {
    receiptId,
    tenantId,
    bucket,
    receivedAt: new Date(object.nowMs).toISOString(),
    studyInstanceUid: summary.studyInstanceUid,
    seriesInstanceUid: summary.seriesInstanceUid,
    sopInstanceUid: summary.sopInstanceUid,
    sopClassUid: summary.sopClassUid,
    transferSyntaxUid: object.transferSyntaxUid,
    datasetSha256: object.datasetSha256,
    objectLength: object.objectLength,
    datasetOffset: object.datasetOffset,
    headerLength: summary.headerLength,
    numberOfFrames: summary.numberOfFrames,
    frameIndex: summary.frameIndex,
  };
  const source: Receipt['source'] = { kind: context.road, profile, ...context.source };
  const text =
    `${JSON.stringify(beginning).slice(0, -LAST_BRACE_CHARACTERS)},"attributes":${summary.attributesText},"search":${summary.searchText},` +
    `"source":${JSON.stringify(source)},"onConflict":"${onConflict}"${context.traceparent === undefined ? '}' : receiptTail(context.traceparent)}`;
  return { receiptId, bucket, text };
}
const LAST_BRACE_CHARACTERS = 1;
