// The same dataset in another uncompressed transfer syntax (PS3.5 Annex A), as a stream: headers are written anew, values go through as
// they are, or with their bytes turned where they were big endian. Sequences get undefined lengths; group lengths, which would be
// wrong, are left out (PS3.5 §7.2).
import {
  DicomParseError, EXPLICIT_VR_LITTLE_ENDIAN, hasLongForm, IMPLICIT_VR_LITTLE_ENDIAN, littleEndian, type Tag, transferSyntaxOf, unitBytes, vrCode, type VrCode,
} from '@perennia/dicom-data';
import { ITEM, ITEM_DELIMITER, SEQUENCE_DELIMITER } from './element-header.js';
import { ElementReader } from './element-reader.js';
import { CAPTURE, DESCEND, type ElementAction, type ElementVisitor, isFragmented, SKIP, UNDEFINED_LENGTH } from './element-visitor.js';
import { resolveVr } from './resolve-vr.js';

const PIXEL_REPRESENTATION = 0x00280103;
const MAX_SHORT_LENGTH = 0xfffe;
/** Of a value whose bytes have to be turned, which is held whole. */
const MAX_TURNED_BYTES = 256 * 1024 * 1024;
/** PS3.5 §6.2: what text is padded with; all else with a zero. */
const BLANK_PADDED = new Set(['AE', 'AS', 'CS', 'DA', 'DS', 'DT', 'IS', 'LO', 'LT', 'PN', 'SH', 'ST', 'TM', 'UC', 'UR', 'UT']);
const BLANK = Buffer.of(0x20);
const ZERO = Buffer.of(0);

/** Between which the bytes of values mean the same, but for their order. A deflated dataset is inflated before and is explicit then. */
export function canRewrite(from: string, to: string): boolean {
  const { encapsulated, deflated, referenced } = transferSyntaxOf(from);
  return !encapsulated && !deflated && !referenced && (to === EXPLICIT_VR_LITTLE_ENDIAN || to === IMPLICIT_VR_LITTLE_ENDIAN);
}

export class DatasetRewriter implements ElementVisitor {
  private readonly reader: ElementReader;
  private readonly toExplicit: boolean;
  private pieces: Buffer[] = [];
  /** What is being read, and where in the dataset it begins. */
  private chunk: Buffer = Buffer.alloc(0);
  private chunkOffset = 0;
  /** Bytes of the dataset that go through and have not yet. */
  private from = 0;
  private to = 0;
  /** Of the value that goes through. */
  private length = 0;
  private pixelRepresentation = 0;
  /** Of the value that is being read. */
  private vr = 'UN';

  /**
   * @param values other ones for elements that the dataset has at its top, of even length
   * @throws RangeError where `canRewrite` says no
   */
  constructor(from: string, to: string, private readonly values: ReadonlyMap<Tag, Buffer> = new Map()) {
    if (!canRewrite(from, to)) throw new RangeError(`A dataset in ${from} cannot be rewritten in ${to}.`);
    const { explicit, bigEndian } = transferSyntaxOf(from);
    this.toExplicit = to === EXPLICIT_VR_LITTLE_ENDIAN;
    this.reader = new ElementReader({ explicit, bigEndian, visitor: this, limits: { maxCapturedBytes: MAX_TURNED_BYTES } });
  }

  /** Takes the next bytes; answers what they are in the other syntax, which may be nothing yet. @throws DicomParseError */
  push(chunk: Buffer): Buffer {
    this.chunk = chunk;
    this.reader.push(chunk);
    this.passThrough();
    this.chunkOffset += chunk.length;
    const { pieces } = this;
    this.pieces = [];
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  /** @throws DicomParseError when the dataset ends too early */
  end(): void {
    this.reader.end();
  }

  element(tag: Tag, vr: VrCode, length: number): ElementAction {
    this.passThrough();
    if ((tag & 0xffff) === 0) return SKIP;
    const name = resolveVr(tag, vr, this.pixelRepresentation);
    const value = this.reader.depth === 0 ? this.values.get(tag) : undefined;
    if (value && length !== UNDEFINED_LENGTH) {
      this.writeHeader(tag, name, value.length);
      this.pieces.push(value);
      return SKIP;
    }
    if (name === 'SQ' || (length === UNDEFINED_LENGTH && !isFragmented(tag, vr))) {
      this.writeHeader(tag, 'SQ', UNDEFINED_LENGTH);
      return DESCEND;
    }
    if (length === UNDEFINED_LENGTH) throw new DicomParseError('MALFORMED', 'Encapsulated pixel data in a transfer syntax that has none.');
    this.writeHeader(tag, name, length + (length & 1));
    this.vr = name;
    if (tag === PIXEL_REPRESENTATION || (this.reader.bigEndian && unitBytes(name) > 1)) return CAPTURE;
    this.from = this.reader.valueOffset;
    this.to = this.from + length;
    this.length = length;
    return SKIP;
  }

  value(tag: Tag, _vr: VrCode, bytes: Buffer, start: number, end: number): void {
    const value = littleEndian(this.vr, bytes, start, end, this.reader.bigEndian);
    if (tag === PIXEL_REPRESENTATION && value.length >= 2) this.pixelRepresentation = value.readUInt16LE(0);
    this.pieces.push(value);
    this.pad(value.length);
  }

  startItem(): void {
    this.passThrough();
    this.writeDelimiter(ITEM, UNDEFINED_LENGTH);
  }
  endItem(): void {
    this.passThrough();
    this.writeDelimiter(ITEM_DELIMITER, 0);
  }
  endSequence(): void {
    this.passThrough();
    this.writeDelimiter(SEQUENCE_DELIMITER, 0);
  }
  fragment(): ElementAction {
    return SKIP;
  }
  fragmentHead(): void {
    // There are no fragments.
  }
  endFragments(): void {
    // There are no fragments.
  }

  /** As much of the value that goes through as has been read. */
  private passThrough(): void {
    const until = Math.min(this.to, this.chunkOffset + this.chunk.length);
    if (until <= this.from) return;
    this.pieces.push(this.chunk.subarray(this.from - this.chunkOffset, until - this.chunkOffset));
    this.from = until;
    if (until === this.to) this.pad(this.length);
  }

  /** A value of odd length, which is none of the standard's, gets the byte that it lacks. */
  private pad(length: number): void {
    if ((length & 1) === 1) this.pieces.push(BLANK_PADDED.has(this.vr) ? BLANK : ZERO);
  }

  private writeHeader(tag: Tag, vr: string, length: number): void {
    const name = this.toExplicit && length > MAX_SHORT_LENGTH && !hasLongForm(vrCode(vr)) ? 'UN' : vr;
    const isLong = this.toExplicit && hasLongForm(vrCode(name));
    const header = Buffer.alloc(isLong ? 12 : 8);
    header.writeUInt16LE(tag >>> 16, 0);
    header.writeUInt16LE(tag & 0xffff, 2);
    if (this.toExplicit) header.write(name, 4, 'latin1');
    if (this.toExplicit && !isLong) header.writeUInt16LE(length, 6);
    else header.writeUInt32LE(length, header.length - 4);
    this.pieces.push(header);
  }

  private writeDelimiter(tag: Tag, length: number): void {
    const header = Buffer.alloc(8);
    header.writeUInt16LE(tag >>> 16, 0);
    header.writeUInt16LE(tag & 0xffff, 2);
    header.writeUInt32LE(length, 4);
    this.pieces.push(header);
  }
}
