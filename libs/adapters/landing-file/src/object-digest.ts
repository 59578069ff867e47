// Whether the object of a record is whole: its first bytes by the footer's CRC, its dataset by the digest in the receipt.
import { createHash } from 'node:crypto';
import { HEAD_BYTES } from '@perennia/storage';
import { prefixCrcOf } from './record-group.js';
import type { ScannedRecord, SegmentScan } from './segment-scan.js';

const CHUNK_BYTES = 1024 * 1024;

interface DigestFacts {
  datasetSha256?: unknown;
  datasetOffset?: unknown;
}

/** A receipt without a digest (there is none in production) leaves the prefix as the only guard. */
function factsOf(receipt: string): { sha256: string; offset: number } | undefined {
  try {
    const { datasetSha256, datasetOffset } = JSON.parse(receipt) as DigestFacts;
    return typeof datasetSha256 === 'string' && typeof datasetOffset === 'number' ? { sha256: datasetSha256, offset: datasetOffset } : undefined;
  } catch {
    return undefined; // The CRC vouches for the receipt: it is as it was given to us.
  }
}

export function isObjectWhole(scan: SegmentScan, { offset, head, prefixCrc }: ScannedRecord): boolean {
  const start = offset + HEAD_BYTES;
  const end = start + head.objectBytes;
  const first = scan.read(start, Math.min(head.objectBytes, CHUNK_BYTES));
  if (prefixCrcOf([first]) !== prefixCrc) return false;
  if (head.kind === 'reference') return true;
  const facts = factsOf(scan.read(end, head.receiptBytes).toString('utf8'));
  if (!facts) return true;
  const hash = createHash('sha256').update(first.subarray(facts.offset));
  for (let at = start + first.length; at < end; at += CHUNK_BYTES) {
    const chunk = scan.read(at, Math.min(CHUNK_BYTES, end - at));
    hash.update(chunk.subarray(Math.max(0, start + facts.offset - at)));
  }
  return hash.digest('hex') === facts.sha256;
}
