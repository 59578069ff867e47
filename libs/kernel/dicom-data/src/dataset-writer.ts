// Writes a dataset in a transfer syntax (PS3.5 §7, Annex A). Sequences and items get undefined lengths, so that nothing has to
// be measured beforehand; values are padded to even length as their VR wants it.
import { deflateRawSync } from 'node:zlib';
import { isAffectedByCharacterSet } from './character-set.js';
import { type Dataset, type Element, type ElementValue, Fragments } from './dataset.js';
import { type Tag } from './tag.js';
import { textEncodingOf, type TextEncoding } from './text-encoding.js';
import { transferSyntaxOf } from './transfer-syntax.js';
import { hasLongForm, vrCode } from './vr.js';

const UNDEFINED_LENGTH = 0xffffffff;
const ITEM = 0xfffee000;
const ITEM_DELIMITER = 0xfffee00d;
const SEQUENCE_DELIMITER = 0xfffee0dd;
const MAX_SHORT_LENGTH = 0xfffe;

/**
 * The dataset's bytes. Text is written as Specific Character Set says where that has an encoder (text-encoding), else as ISO 8859-1; what
 * the set lacks becomes a question mark.
 */
export function writeDataset(dataset: Dataset, transferSyntaxUid: string): Buffer {
  const { explicit, bigEndian, deflated } = transferSyntaxOf(transferSyntaxUid);
  const writer = new DatasetWriter(explicit, bigEndian);
  writer.write(dataset);
  const bytes = Buffer.concat(writer.parts);
  return deflated ? padded(deflateRawSync(bytes), 0) : bytes;
}

class DatasetWriter {
  readonly parts: Buffer[] = [];
  private textEncoding: TextEncoding | undefined;

  constructor(private readonly explicit: boolean, private readonly bigEndian: boolean) {}

  write(dataset: Dataset): void {
    const characterSet = dataset.get('SpecificCharacterSet');
    if (characterSet !== undefined) this.textEncoding = textEncodingOf(String(characterSet));
    for (const element of dataset) this.writeElement(element);
  }

  private writeElement({ tag, vr, value }: Element): void {
    if (value instanceof Fragments) this.writeFragments(tag, vr, value);
    else if (vr === 'SQ') this.writeSequence(tag, value as readonly Dataset[]);
    else {
      const bytes = this.encode(vr, value);
      this.header(tag, vr, bytes.length);
      this.parts.push(bytes);
    }
  }

  private writeSequence(tag: Tag, items: readonly Dataset[]): void {
    this.header(tag, 'SQ', UNDEFINED_LENGTH);
    for (const item of items) {
      this.delimiter(ITEM, UNDEFINED_LENGTH);
      this.write(item);
      this.delimiter(ITEM_DELIMITER, 0);
    }
    this.delimiter(SEQUENCE_DELIMITER, 0);
  }

  private writeFragments(tag: Tag, vr: string, value: Fragments): void {
    this.header(tag, vr, UNDEFINED_LENGTH);
    for (const bytes of [this.encode('UL', value.basicOffsets), ...value.fragments]) {
      const even = padded(bytes, 0);
      this.delimiter(ITEM, even.length);
      this.parts.push(even);
    }
    this.delimiter(SEQUENCE_DELIMITER, 0);
  }

  private header(tag: Tag, vr: string, length: number): void {
    const isLong = this.explicit && hasLongForm(vrCode(vr));
    if (this.explicit && !isLong && length > MAX_SHORT_LENGTH) throw new RangeError(`A value of VR ${vr} is longer than 65534 bytes.`);
    const bytes = Buffer.alloc(isLong ? 12 : 8);
    this.writeTag(bytes, 0, tag);
    if (this.explicit) bytes.write(vr, 4, 'latin1');
    if (isLong || !this.explicit) this.writeUnsigned(bytes, bytes.length - 4, 4, length);
    else this.writeUnsigned(bytes, 6, 2, length);
    this.parts.push(bytes);
  }

  private delimiter(tag: Tag, length: number): void {
    const bytes = Buffer.alloc(8);
    this.writeTag(bytes, 0, tag);
    this.writeUnsigned(bytes, 4, 4, length);
    this.parts.push(bytes);
  }

  private encode(vr: string, value: ElementValue): Buffer {
    if (value instanceof Uint8Array) return padded(value, 0);
    const values = (Array.isArray(value) ? value : value === '' ? [] : [value]) as readonly (string | number | bigint)[];
    const width = widths[vr];
    if (width === undefined) return padded(this.encodeText(vr, values.join('\\')), vr === 'UI' || vr === 'UN' || vr === 'OB' ? 0 : 0x20);
    const bytes = Buffer.alloc(width * values.length);
    values.forEach((one, i) => this.writeNumber(bytes, i * width, vr, one));
    return bytes;
  }

  private encodeText(vr: string, text: string): Buffer {
    const { textEncoding } = this;
    if (!textEncoding || !isAffectedByCharacterSet(vr)) return Buffer.from(text, 'latin1');
    return textEncoding.encode(text) ?? Buffer.concat(Array.from(text, (character) => textEncoding.encode(character) ?? Buffer.of(QUESTION_MARK)));
  }

  private writeNumber(bytes: Buffer, at: number, vr: string, value: string | number | bigint): void {
    const number = Number(value);
    if (vr === 'AT') this.writeTag(bytes, at, number);
    else if (FLOATS.has(vr)) this.writeFloat(bytes, at, widths[vr]!, number);
    else if (widths[vr] === 8) this.writeLong(bytes, at, BigInt.asUintN(64, BigInt(value)));
    else this.writeUnsigned(bytes, at, widths[vr]!, widths[vr] === 2 ? number & 0xffff : number >>> 0);
  }

  private writeFloat(bytes: Buffer, at: number, width: number, value: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, width);
    if (width === 4) view.setFloat32(0, value, !this.bigEndian);
    else view.setFloat64(0, value, !this.bigEndian);
  }

  private writeLong(bytes: Buffer, at: number, bits: bigint): void {
    new DataView(bytes.buffer, bytes.byteOffset + at, 8).setBigUint64(0, bits, !this.bigEndian);
  }

  private writeTag(bytes: Buffer, at: number, tag: Tag): void {
    this.writeUnsigned(bytes, at, 2, tag >>> 16);
    this.writeUnsigned(bytes, at + 2, 2, tag & 0xffff);
  }

  private writeUnsigned(bytes: Buffer, at: number, width: number, value: number): void {
    if (this.bigEndian) bytes.writeUIntBE(value, at, width);
    else bytes.writeUIntLE(value, at, width);
  }
}
const QUESTION_MARK = 0x3f;
const FLOATS = new Set(['FD', 'FL', 'OD', 'OF']);
/** Bytes of one number in the VRs that are written from numbers. */
const widths: Readonly<Record<string, number | undefined>> = { AT: 4, FD: 8, FL: 4, OD: 8, OF: 4, OL: 4, OV: 8, OW: 2, SL: 4, SS: 2, SV: 8, UL: 4, US: 2, UV: 8 };

function padded(bytes: Uint8Array, padding: number): Buffer {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.length % 2 === 0 ? buffer : Buffer.concat([buffer, Buffer.of(padding)]);
}
