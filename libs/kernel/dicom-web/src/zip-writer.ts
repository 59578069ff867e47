// Writes a ZIP archive as a stream (APPNOTE.TXT 6.3: §4.3.7 local headers, §4.3.9 data descriptors, §4.3.12 central directory). Entries are stored, not
// deflated: pixels hardly shrink, and reading stays as fast as copying. CRC-32 and length follow each entry, so that nothing is read twice; Zip64
// (§4.3.14, §4.5.3) is used where numbers need it. All entries have the same time, so that the same entries are the same bytes.
import { crc32 } from 'node:zlib';

const LOCAL_HEADER = 0x04034b50;
const DATA_DESCRIPTOR = 0x08074b50;
const CENTRAL_HEADER = 0x02014b50;
const END = 0x06054b50;
const ZIP64_END = 0x06064b50;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_EXTRA = 0x0001;
const PLAIN_VERSION = 20;
const ZIP64_VERSION = 45;
/** Bit 3: CRC and sizes are in the data descriptor. */
const DESCRIPTOR_FLAG = 1 << 3;
/** 1980-01-01, the first day that a ZIP knows. */
const DOS_DATE = 0x21;
const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;

interface Entry {
  name: Buffer;
  zip64: boolean;
  crc: number;
  sizeBytes: number;
  /** Where its local header begins. */
  offset: number;
}

/** Use: for each entry `begin`, `data` for its bytes, `end`; last `finish`. What the methods give is to be written in that order. */
export class ZipWriter {
  private readonly directory: Buffer[] = [];
  private offset = 0;
  private open: Entry | null = null;

  /**
   * The local header. Names may be repeated, which readers dislike.
   * @param name path with slashes, of ASCII characters, not absolute and without `..`
   * @param expectedBytes length of what follows, or more; only tells whether 32 bits are enough
   * @throws RangeError for another name
   */
  begin(name: string, expectedBytes: number): Buffer {
    if (!/^[\x20-\x7e]{1,1024}$/.test(name) || name.split('/').some((part) => part === '' || part === '.' || part === '..')) throw new RangeError('The name of an entry is not safe.');
    const entry: Entry = { name: Buffer.from(name, 'latin1'), zip64: expectedBytes >= MAX_32, crc: 0, sizeBytes: 0, offset: this.offset };
    const { zip64 } = entry;
    const head = Buffer.alloc(30);
    head.writeUInt32LE(LOCAL_HEADER, 0);
    head.writeUInt16LE(zip64 ? ZIP64_VERSION : PLAIN_VERSION, 4);
    head.writeUInt16LE(DESCRIPTOR_FLAG, 6);
    head.writeUInt16LE(DOS_DATE, 12);
    head.fill(zip64 ? 0xff : 0, 18, 26);
    head.writeUInt16LE(entry.name.length, 26);
    const extra = zip64 ? zip64Extra([0, 0]) : Buffer.alloc(0);
    head.writeUInt16LE(extra.length, 28);
    this.open = entry;
    return this.counted(Buffer.concat([head, entry.name, extra]));
  }

  /** The same bytes, counted. @throws RangeError where there are more than 32 bits tell and fewer were expected */
  data(bytes: Buffer): Buffer {
    const entry = this.open!;
    entry.crc = crc32(bytes, entry.crc);
    entry.sizeBytes += bytes.length;
    if (!entry.zip64 && entry.sizeBytes >= MAX_32) throw new RangeError('An entry is longer than was expected.');
    return this.counted(bytes);
  }

  /** The data descriptor. */
  end(): Buffer {
    const entry = this.open!;
    const { zip64, crc, sizeBytes } = entry;
    const descriptor = Buffer.alloc(zip64 ? 24 : 16);
    descriptor.writeUInt32LE(DATA_DESCRIPTOR, 0);
    descriptor.writeUInt32LE(crc, 4);
    if (zip64) {
      descriptor.writeBigUInt64LE(BigInt(sizeBytes), 8);
      descriptor.writeBigUInt64LE(BigInt(sizeBytes), 16);
    } else {
      descriptor.writeUInt32LE(sizeBytes, 8);
      descriptor.writeUInt32LE(sizeBytes, 12);
    }
    this.directory.push(centralHeader(entry));
    this.open = null;
    return this.counted(descriptor);
  }

  /** The central directory and the end of the archive. */
  finish(): Buffer {
    const directoryOffset = this.offset;
    const directory = Buffer.concat(this.directory);
    return Buffer.concat([directory, endOf(this.directory.length, directory.length, directoryOffset)]);
  }

  private counted(bytes: Buffer): Buffer {
    this.offset += bytes.length;
    return bytes;
  }
}

function zip64Extra(numbers: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * numbers.length);
  extra.writeUInt16LE(ZIP64_EXTRA, 0);
  extra.writeUInt16LE(8 * numbers.length, 2);
  numbers.forEach((number, index) => extra.writeBigUInt64LE(BigInt(number), 4 + 8 * index));
  return extra;
}

function centralHeader({ name, zip64, crc, sizeBytes, offset }: Entry): Buffer {
  const isFar = offset >= MAX_32;
  const numbers = [...(zip64 ? [sizeBytes, sizeBytes] : []), ...(isFar ? [offset] : [])];
  const extra = numbers.length > 0 ? zip64Extra(numbers) : Buffer.alloc(0);
  const version = numbers.length > 0 ? ZIP64_VERSION : PLAIN_VERSION;
  const head = Buffer.alloc(46);
  head.writeUInt32LE(CENTRAL_HEADER, 0);
  head.writeUInt16LE(version, 4);
  head.writeUInt16LE(version, 6);
  head.writeUInt16LE(DESCRIPTOR_FLAG, 8);
  head.writeUInt16LE(DOS_DATE, 14);
  head.writeUInt32LE(crc, 16);
  head.writeUInt32LE(zip64 ? MAX_32 : sizeBytes, 20);
  head.writeUInt32LE(zip64 ? MAX_32 : sizeBytes, 24);
  head.writeUInt16LE(name.length, 28);
  head.writeUInt16LE(extra.length, 30);
  head.writeUInt32LE(isFar ? MAX_32 : offset, 42);
  return Buffer.concat([head, name, extra]);
}

function endOf(entries: number, directoryBytes: number, directoryOffset: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(Math.min(entries, MAX_16), 8);
  end.writeUInt16LE(Math.min(entries, MAX_16), 10);
  end.writeUInt32LE(Math.min(directoryBytes, MAX_32), 12);
  end.writeUInt32LE(Math.min(directoryOffset, MAX_32), 16);
  if (entries < MAX_16 && directoryBytes < MAX_32 && directoryOffset < MAX_32) return end;
  const zip64 = Buffer.alloc(56);
  zip64.writeUInt32LE(ZIP64_END, 0);
  zip64.writeBigUInt64LE(44n, 4);
  zip64.writeUInt16LE(ZIP64_VERSION, 12);
  zip64.writeUInt16LE(ZIP64_VERSION, 14);
  zip64.writeBigUInt64LE(BigInt(entries), 24);
  zip64.writeBigUInt64LE(BigInt(entries), 32);
  zip64.writeBigUInt64LE(BigInt(directoryBytes), 40);
  zip64.writeBigUInt64LE(BigInt(directoryOffset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(ZIP64_LOCATOR, 0);
  locator.writeBigUInt64LE(BigInt(directoryOffset + directoryBytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([zip64, locator, end]);
}
