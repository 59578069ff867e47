// Writes one pack through an ObjectWriter, in one pass and with bounded memory. Every byte is hashed once here (objectSha256) and once
// when it is read back (`verifyWrittenPack` compares the dataset at rest with its receipt): hashing both here would cost a third pass.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { CorruptDataError, IllegalStateError } from '@perennia/errors';
import type { ObjectInfo, ObjectWriter } from './object-store.js';
import { PACK_FOOTER_BYTES, PACK_INDEX_SPLIT_BYTES, PACK_SPLIT_BYTES, encodePackFooter, type PackEntry, type PackedReceipt, type ReceiptHead } from './pack-format.js';

export interface WrittenPack {
  info: ObjectInfo;
  entries: readonly PackEntry<ReceiptHead>[];
  /** CRC-32 of the bytes before each dataset, in the order of `entries`: what no receipt has a digest of. */
  prefixCrcs: readonly number[];
  indexSha256: Buffer;
}

export class PackWriter {
  private readonly entries: PackEntry<ReceiptHead>[] = [];
  private readonly prefixCrcs: number[] = [];
  private readonly lines: Buffer[] = [];
  private dataBytes = 0;
  private indexBytes = 0;
  private state: 'open' | 'broken' | 'done' = 'open';

  constructor(private readonly writer: ObjectWriter) {}

  /** Size of the pack if it were committed now. */
  get sizeBytes(): number {
    return this.dataBytes + this.indexBytes + PACK_FOOTER_BYTES;
  }

  get instances(): number {
    return this.entries.length;
  }

  /** Whether the caller should commit this pack and begin another one. */
  get full(): boolean {
    return this.sizeBytes >= PACK_SPLIT_BYTES || this.indexBytes >= PACK_INDEX_SPLIT_BYTES;
  }

  /** Whether an object of this size belongs into another pack (never true for an empty pack). */
  splitsBefore(objectBytes: number): boolean {
    return this.entries.length > 0 && (this.full || this.sizeBytes + objectBytes > PACK_SPLIT_BYTES);
  }

  /**
   * Appends one object: buffers in memory or a stream. Its digest is compared when the pack is verified, its length here.
   * After an error while bytes were written the pack can only be aborted; wrong lengths of buffers are found before.
   */
  async add(receipt: PackedReceipt, object: readonly Uint8Array[] | AsyncIterable<Uint8Array>): Promise<PackEntry<ReceiptHead>> {
    this.assertOpen();
    if (!(Symbol.asyncIterator in object)) assertLength(receipt.head, object.reduce((sum, chunk) => sum + chunk.length, 0));
    this.state = 'broken';
    const { datasetOffset } = receipt.head;
    const hash = createHash('sha256');
    let lengthBytes = 0;
    let prefixCrc = 0;
    for await (const chunk of object) {
      hash.update(chunk);
      if (lengthBytes < datasetOffset) prefixCrc = crc32(chunk.subarray(0, datasetOffset - lengthBytes), prefixCrc);
      lengthBytes += chunk.length;
      await this.writer.write(chunk);
    }
    assertLength(receipt.head, lengthBytes);
    this.state = 'open';
    this.prefixCrcs.push(prefixCrc);
    return this.index(receipt, hash.digest('hex'));
  }

  /** Writes index and footer and makes the pack durable and visible. */
  async commit(): Promise<WrittenPack> {
    this.assertOpen();
    if (this.entries.length === 0) throw new IllegalStateError('A pack without an object is never written.');
    this.state = 'broken';
    const hash = createHash('sha256');
    for (const line of this.lines) {
      hash.update(line);
      await this.writer.write(line);
    }
    const indexSha256 = hash.digest();
    const footer = { instances: this.entries.length, indexOffset: this.dataBytes, indexBytes: this.indexBytes, indexSha256 };
    await this.writer.write(encodePackFooter(footer));
    const info = await this.writer.commit();
    this.state = 'done';
    return { info, entries: this.entries, prefixCrcs: this.prefixCrcs, indexSha256 };
  }

  async abort(): Promise<void> {
    if (this.state === 'done') return;
    this.state = 'done';
    await this.writer.abort();
  }

  private index({ head, attributes }: PackedReceipt, objectSha256: string): PackEntry<ReceiptHead> {
    const { studyInstanceUid, seriesInstanceUid, sopInstanceUid, datasetSha256, headerLength, datasetOffset, frameIndex } = head;
    const entry: PackEntry<ReceiptHead> = {
      studyInstanceUid, seriesInstanceUid, sopInstanceUid, offset: this.dataBytes, length: head.objectLength, datasetSha256, objectSha256,
      headerLength, datasetOffset, frameIndex, encryption: 'none', receipt: head,
    };
    const line = Buffer.from(indexLine(entry, attributes));
    this.entries.push(entry);
    this.lines.push(line);
    this.indexBytes += line.length;
    this.dataBytes += head.objectLength;
    return entry;
  }

  private assertOpen(): void {
    if (this.state !== 'open') throw new IllegalStateError(`The pack is ${this.state === 'done' ? 'finished' : 'broken and can only be aborted'}.`);
  }
}

/** The receipt's head is the last of the entry: what is put before the two closing braces belongs to it. */
function indexLine(entry: PackEntry<ReceiptHead>, { study, series, instance }: PackedReceipt['attributes']): string {
  return `${JSON.stringify(entry).slice(0, -2)},"attributes":{"study":${study},"series":${series},"instance":${instance}}}}\n`;
}

function assertLength(receipt: ReceiptHead, foundBytes: number): void {
  if (foundBytes === receipt.objectLength) return;
  throw new CorruptDataError('An object has another length than was received.', {
    details: { damaged: [receipt.receiptId], expectedBytes: receipt.objectLength, foundBytes },
  });
}
