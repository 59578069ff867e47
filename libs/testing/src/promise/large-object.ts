// An encapsulated multi-frame object of any size, made while it is read: never whole in memory, every frame different.
import { createHash } from 'node:crypto';

export interface LargeObjectOptions {
  sopInstanceUid: string;
  studyInstanceUid: string;
  seriesInstanceUid: string;
  frames: number;
  frameBytes: number;
  /** `extended`: Extended Offset Table (7FE0,0001) and an empty basic one; `empty`: neither. */
  offsetTable: 'extended' | 'empty';
  transferSyntaxUid: string;
}

const MULTI_FRAME_GRAYSCALE_BYTE = '1.2.840.10008.5.1.4.1.1.7.2';

function element(tag: number, vr: string, value: Buffer, undefinedLength = false): Buffer {
  const long = ['OB', 'OV', 'OW'].includes(vr);
  const head = Buffer.alloc(long ? 12 : 8);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  head.write(vr, 4, 'latin1');
  if (long) head.writeUInt32LE(undefinedLength ? 0xffffffff : value.length, 8);
  else head.writeUInt16LE(value.length, 6);
  return Buffer.concat([head, value]);
}
const text = (tag: number, vr: string, value: string): Buffer => element(tag, vr, Buffer.from(value.length % 2 ? value + (vr === 'UI' ? '\0' : ' ') : value, 'latin1'));
const unsigned = (tag: number, value: number): Buffer => element(tag, 'US', Buffer.from([value & 255, value >> 8]));
function item(tag: number, length: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(0xfffe, 0);
  head.writeUInt16LE(tag, 2);
  head.writeUInt32LE(length, 4);
  return head;
}

export class LargeObject {
  readonly sopClassUid = MULTI_FRAME_GRAYSCALE_BYTE;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  private readonly pattern: Buffer;

  constructor(readonly options: LargeObjectOptions) {
    this.sopInstanceUid = options.sopInstanceUid;
    this.transferSyntaxUid = options.transferSyntaxUid;
    this.pattern = Buffer.alloc(options.frameBytes, 0x5a);
    for (let i = 0; i < this.pattern.length; i++) this.pattern[i] = (i * 31 + (i >> 8) * 17) & 0xff;
  }

  get sizeBytes(): number {
    return this.header().length + this.options.frames * (8 + this.options.frameBytes) + 16;
  }

  /** Frame n (from 1) as it is encoded: the pattern with the number in its first eight bytes. */
  frame(number: number): Buffer {
    const bytes = Buffer.from(this.pattern);
    bytes.writeBigUInt64LE(BigInt(number), 0);
    return bytes;
  }

  private header(): Buffer {
    const { options } = this;
    const side = Math.max(1, Math.round(Math.sqrt(options.frameBytes)));
    return Buffer.concat([
      text(0x00080016, 'UI', this.sopClassUid),
      text(0x00080018, 'UI', options.sopInstanceUid),
      text(0x00080020, 'DA', '20240131'),
      text(0x00080060, 'CS', 'OT'),
      text(0x00100010, 'PN', 'Large^Object'),
      text(0x00100020, 'LO', 'LARGE1'),
      text(0x0020000d, 'UI', options.studyInstanceUid),
      text(0x0020000e, 'UI', options.seriesInstanceUid),
      unsigned(0x00280002, 1),
      text(0x00280004, 'CS', 'MONOCHROME2'),
      text(0x00280008, 'IS', String(options.frames)),
      unsigned(0x00280010, side),
      unsigned(0x00280011, side),
      unsigned(0x00280100, 8),
      unsigned(0x00280101, 8),
      unsigned(0x00280102, 7),
      unsigned(0x00280103, 0),
      ...(options.offsetTable === 'extended' ? this.extendedOffsetTable() : []),
      element(0x7fe00010, 'OB', Buffer.alloc(0), true),
      item(0xe000, 0),
    ]);
  }

  /** PS3.3 §C.7.6.3.1.8: offsets count from the first byte after the basic offset table item; lengths exclude item headers. */
  private extendedOffsetTable(): Buffer[] {
    const { frames, frameBytes } = this.options;
    const offsets = Buffer.alloc(frames * 8);
    const lengths = Buffer.alloc(frames * 8);
    for (let n = 0; n < frames; n++) {
      offsets.writeBigUInt64LE(BigInt(n) * BigInt(frameBytes + 8), n * 8);
      lengths.writeBigUInt64LE(BigInt(frameBytes), n * 8);
    }
    return [element(0x7fe00001, 'OV', offsets), element(0x7fe00002, 'OV', lengths)];
  }

  async *dataset(): AsyncGenerator<Buffer> {
    const { frames, frameBytes } = this.options;
    yield this.header();
    for (let n = 1; n <= frames; n++) {
      yield item(0xe000, frameBytes);
      yield this.frame(n);
    }
    yield item(0xe0dd, 0);
  }

  async datasetSha256(): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of this.dataset()) hash.update(chunk);
    return hash.digest('hex');
  }
}
