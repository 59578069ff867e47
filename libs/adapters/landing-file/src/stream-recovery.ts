// The file of one large object after a restart: it got its name when all of it was durable, so it is whole or the disk damaged it.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { FOOTER_BYTES, HEAD_BYTES, decodeFooter, decodeHead, recordBytes } from '@perennia/storage';
import { Segment } from './segment.js';

export interface RecoveredStream {
  segment: Segment;
  receipt: string;
}

export function recoverStream(owner: string, file: string, path: string, generation: number): RecoveredStream | undefined {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  const sizeBytes = fstatSync(descriptor).size;
  const encodedHead = Buffer.alloc(HEAD_BYTES);
  readSync(descriptor, encodedHead, 0, HEAD_BYTES, 0);
  const head = decodeHead(encodedHead);
  const receipt = head?.generation === generation && recordBytes(head.objectBytes, head.receiptBytes) === sizeBytes ? readReceipt() : undefined;
  if (!head || receipt === undefined) {
    closeSync(descriptor);
    return undefined;
  }
  const segment = new Segment('stream', owner, file, descriptor);
  segment.begin(generation);
  segment.endBytes = sizeBytes;
  segment.durableBytes = sizeBytes;
  segment.objectBytes = head.objectBytes;
  segment.objects = 1;
  segment.markSealed();
  return { segment, receipt };

  function readReceipt(): string | undefined {
    const tail = Buffer.alloc(head!.receiptBytes + FOOTER_BYTES);
    readSync(descriptor, tail, 0, tail.length, HEAD_BYTES + head!.objectBytes);
    const bytes = tail.subarray(0, head!.receiptBytes);
    if (crc32(bytes) !== head!.receiptCrc || decodeFooter(tail, bytes.length, encodedHead) === null) return undefined;
    return bytes.toString('utf8');
  }
}
