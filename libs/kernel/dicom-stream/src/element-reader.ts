// Reads a dataset (PS3.5 §7) from chunks of any size in one pass and tells a visitor what it meets. Promises: no recursion
// by the depth of the input, no allocation by a declared length, at most one header and one captured value are held. The
// hottest code of the ingest path, therefore dense; `tools/bench-header-tap.mjs` measures it.
import { DicomParseError, VR } from '@perennia/dicom-data';
import { ElementHeader, ITEM, ITEM_DELIMITER, MAX_HEADER_BYTES, SEQUENCE_DELIMITER } from './element-header.js';
import { CAPTURE, DESCEND, type ElementAction, type ElementVisitor, isFragmented, SKIP, STOP, UNDEFINED_LENGTH } from './element-visitor.js';
import { GrowingBytes } from './growing-bytes.js';
import { DEFAULT_READER_LIMITS, type ReaderLimits } from './reader-limits.js';

/** Bytes of a fragment that are told. */
const HEAD_BYTES = 4;

// Kinds of level on the stack.
const DATASET = 0;
const SEQUENCE = 1;
const FRAGMENTS = 2;

export interface ElementReaderOptions {
  explicit: boolean;
  bigEndian: boolean;
  visitor: ElementVisitor;
  /** What the offset of the first byte is; 0 unless given. */
  baseOffset?: number;
  limits?: Partial<ReaderLimits>;
}

export class ElementReader {
  /** Where the value of the current element begins, and where its tag did. */
  valueOffset: number;
  tagOffset: number;
  /** Sequences around the current element. */
  depth = 0;
  /** Oddities that were read over, in fixed words. */
  readonly warnings = new Set<string>();

  /** The header that was read last, and the encoding of the level that is being read. */
  private readonly header: ElementHeader;
  private readonly visitor: ElementVisitor;
  private readonly limits: ReaderLimits;
  private position: number;
  private readonly start: number;
  private elements = 0;
  private stopped = false;

  // The stack, one entry a level: a dataset, item, sequence, or fragments.
  private level = 0;
  private readonly kinds: number[] = [DATASET];
  /** Where a level of known length ends; Infinity for one that ends with a delimiter. */
  private readonly ends: number[] = [Infinity];
  /** What nothing inside of a level may reach beyond: the nearest known end of it and of those around it. */
  private readonly bounds: number[] = [Infinity];
  private readonly encodings: number[] = [0];
  /** Level of the sequence whose inside is not told; 0: everything is. */
  private mutedLevel = 0;

  // A value that is being passed or gathered, and a header that a chunk's end cut.
  private remaining = 0;
  private capturing = false;
  private head = 0;
  private headBytesWanted = 0;
  private readonly gathered = new GrowingBytes();
  private readonly carry = Buffer.alloc(MAX_HEADER_BYTES);
  private carryBytes = 0;

  constructor(options: ElementReaderOptions) {
    this.header = new ElementHeader(options.explicit, options.bigEndian, this.warnings);
    this.visitor = options.visitor;
    this.limits = { ...DEFAULT_READER_LIMITS, ...options.limits };
    this.position = this.start = this.valueOffset = this.tagOffset = options.baseOffset ?? 0;
  }

  /** Encoding of the current element; other than the dataset's inside of UN sequences (PS3.5 §6.2.2). */
  get explicit(): boolean {
    return this.header.explicit;
  }
  get bigEndian(): boolean {
    return this.header.bigEndian;
  }
  /** Bytes read so far, counted from the base offset. */
  get offset(): number {
    return this.position;
  }
  /** Whether the visitor asked to stop. */
  get isStopped(): boolean {
    return this.stopped;
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const end = bytes.length;
    let at = 0;
    while (at < end && !this.stopped) {
      if (this.remaining > 0) {
        at += this.passValue(bytes, at, end);
        continue;
      }
      if (this.carryBytes > 0) {
        const taken = this.completeCarry(bytes, at, end);
        if (taken < 0) return;
        at += taken;
      } else {
        const headerBytes = this.parseHeader(bytes, at, end);
        if (headerBytes === 0) {
          this.carryBytes = bytes.copy(this.carry, 0, at, end);
          return;
        }
        at += headerBytes;
      }
      const action = this.enter();
      const { length } = this.header;
      if (action === CAPTURE && length <= end - at) {
        // The common case: the whole value lies in this chunk and is handed over where it is.
        const valueEnd = at + length;
        this.visitor.value(this.header.tag, this.header.vr, bytes, at, valueEnd);
        at = valueEnd;
        this.position += length;
        this.closeLevels();
      } else if (action === CAPTURE || action === SKIP) this.beginValue(action === CAPTURE);
    }
  }

  /** The dataset is complete. Throws when it ended inside of an element, item or sequence. */
  end(): void {
    if (this.stopped) return;
    if (this.remaining > 0) throw new DicomParseError('TRUNCATED', 'The dataset ends inside of a value.');
    if (this.level > 0) throw new DicomParseError('TRUNCATED', 'The dataset ends inside of a sequence or of encapsulated pixel data.');
    if (this.carryBytes > 0) {
      if (this.carry.subarray(0, this.carryBytes).some((byte) => byte !== 0)) {
        throw new DicomParseError('TRUNCATED', 'The dataset ends inside of an element header.');
      }
      this.warnings.add('zero bytes after the last element');
    }
  }

  // ---- headers -------------------------------------------------------------------------------------------------------

  /** Joins a header that was cut by the end of a chunk; answers the bytes it took of the new one, -1 when still too few. */
  private completeCarry(bytes: Buffer, at: number, end: number): number {
    const before = this.carryBytes;
    this.carryBytes += bytes.copy(this.carry, before, at, Math.min(end, at + MAX_HEADER_BYTES - before));
    const headerBytes = this.parseHeader(this.carry, 0, this.carryBytes);
    if (headerBytes === 0) return -1;
    // The header may have needed a look beyond its end: what was carried of the next one stays.
    this.carryBytes = Math.max(0, before - headerBytes);
    if (this.carryBytes > 0) this.carry.copyWithin(0, headerBytes, before);
    return Math.max(0, headerBytes - before);
  }

  /** Parses the header at `at` and counts it as passed; answers its length, 0 when more bytes are needed. */
  private parseHeader(bytes: Buffer, at: number, end: number): number {
    if (this.position === this.start && end - at >= 8) this.header.checkFirst(bytes, at);
    const headerBytes = this.header.parse(bytes, at, end);
    if (headerBytes > 0) {
      this.tagOffset = this.position;
      this.position += headerBytes;
      this.valueOffset = this.position;
    }
    return headerBytes;
  }

  // ---- levels --------------------------------------------------------------------------------------------------------

  /** Acts on the header just read; answers what happens to the value: CAPTURE, SKIP, or DESCEND/STOP when there is none to pass. */
  private enter(): ElementAction {
    if (++this.elements > this.limits.maxElements) throw new DicomParseError('LIMIT_EXCEEDED', `The dataset has more than ${this.limits.maxElements} elements.`);
    const isBeyond = (this.header.length === UNDEFINED_LENGTH ? this.valueOffset : this.valueOffset + this.header.length) > this.bounds[this.level]!;
    // An item that claims more than its sequence has is cut to it, as DCMTK does; its elements still have to fit.
    if (isBeyond && (this.kinds[this.level] !== SEQUENCE || this.valueOffset > this.bounds[this.level]!)) {
      throw new DicomParseError('MALFORMED', 'An element runs beyond the end of the item or sequence it is part of.');
    }
    const kind = this.kinds[this.level];
    if (kind === DATASET) return this.enterElement();
    return kind === SEQUENCE ? this.enterItem() : this.enterFragment();
  }

  private enterElement(): ElementAction {
    const { tag, vr, length } = this.header;
    if (tag >= ITEM && tag <= SEQUENCE_DELIMITER) return this.leaveItem();
    if (length === UNDEFINED_LENGTH) return this.enterUndefined();
    if (this.mutedLevel !== 0) return SKIP;
    if ((length & 1) === 1) this.warnings.add('a value of odd length');
    const action = this.visitor.element(tag, vr, length);
    if (action === DESCEND) {
      this.pushSequence(this.valueOffset + length);
      this.closeLevels();
    } else if (action === CAPTURE) this.checkCapture();
    else if (action === STOP) this.stopped = true;
    return action;
  }

  /** PS3.5 §7.5.1: only sequences, and UN that holds one (§6.2.2), and encapsulated pixel data may be of undefined length. */
  private enterUndefined(): ElementAction {
    const { tag, vr } = this.header;
    const isFragments = isFragmented(tag, vr);
    if (!isFragments && vr !== 0 && vr !== VR.SQ && vr !== VR.UN) {
      throw new DicomParseError('MALFORMED', 'An element that is no sequence and no pixel data has undefined length.');
    }
    const action = this.mutedLevel === 0 ? this.visitor.element(tag, vr, UNDEFINED_LENGTH) : SKIP;
    if (action === STOP) {
      this.stopped = true;
      return STOP;
    }
    if (isFragments) this.pushLevel(FRAGMENTS, Infinity);
    else this.pushSequence(Infinity);
    if (action !== DESCEND && this.mutedLevel === 0) this.mutedLevel = this.level;
    return DESCEND;
  }

  private enterItem(): ElementAction {
    if (this.header.tag === SEQUENCE_DELIMITER) {
      this.requireUndefined('A sequence of known length has a delimiter.');
      this.popLevel();
      this.closeLevels();
      return DESCEND;
    }
    if (this.header.tag !== ITEM) throw new DicomParseError('MALFORMED', 'Something else than an item stands in a sequence.');
    const end = this.valueOffset + this.header.length;
    if (this.header.length !== UNDEFINED_LENGTH && end > this.bounds[this.level]!) this.warnings.add('an item longer than its sequence');
    this.pushLevel(DATASET, this.header.length === UNDEFINED_LENGTH ? Infinity : Math.min(end, this.bounds[this.level]!));
    if (this.mutedLevel === 0) this.visitor.startItem();
    this.closeLevels();
    return DESCEND;
  }

  private leaveItem(): ElementAction {
    if (this.header.tag !== ITEM_DELIMITER || this.level === 0) throw new DicomParseError('MALFORMED', 'An item or delimiter stands where an element is expected.');
    this.requireUndefined('An item of known length has a delimiter.');
    this.popLevel();
    this.closeLevels();
    return DESCEND;
  }

  private enterFragment(): ElementAction {
    if (this.header.tag === SEQUENCE_DELIMITER) {
      if (this.mutedLevel === 0) this.visitor.endFragments(this.tagOffset);
      this.popLevel();
      this.closeLevels();
      return DESCEND;
    }
    if (this.header.tag !== ITEM || this.header.length === UNDEFINED_LENGTH) throw new DicomParseError('MALFORMED', 'Something else than a fragment stands in encapsulated pixel data.');
    if (this.mutedLevel !== 0) return SKIP;
    const action = this.visitor.fragment(this.tagOffset, this.header.length);
    if (action === CAPTURE) this.checkCapture();
    else if (this.header.length >= HEAD_BYTES) this.headBytesWanted = HEAD_BYTES;
    return action;
  }

  private requireUndefined(reason: string): void {
    if (this.ends[this.level] !== Infinity) throw new DicomParseError('MALFORMED', reason);
  }

  private pushSequence(end: number): void {
    if (++this.depth > this.limits.maxDepth) throw new DicomParseError('LIMIT_EXCEEDED', `Sequences are nested more than ${this.limits.maxDepth} deep.`);
    const { header } = this;
    const encoding = (header.explicit ? 1 : 0) | (header.bigEndian ? 2 : 0);
    this.pushLevel(SEQUENCE, end);
    this.encodings[this.level] = encoding;
    if (header.vr === VR.UN) {
      header.explicit = false;
      header.bigEndian = false;
    }
  }

  private pushLevel(kind: number, end: number): void {
    const level = ++this.level;
    this.kinds[level] = kind;
    this.ends[level] = end;
    this.bounds[level] = Math.min(end, this.bounds[level - 1]!);
  }

  /** Leaves the innermost level and tells it, unless it is silent. */
  private popLevel(): void {
    const level = this.level--;
    const kind = this.kinds[level];
    const isTold = this.mutedLevel === 0;
    if (this.mutedLevel === level) this.mutedLevel = 0;
    if (kind === SEQUENCE) {
      this.depth--;
      this.header.explicit = (this.encodings[level]! & 1) !== 0;
      this.header.bigEndian = (this.encodings[level]! & 2) !== 0;
      if (isTold) this.visitor.endSequence();
    } else if (kind === DATASET && isTold) this.visitor.endItem();
  }

  /** Leaves all levels of known length that end here. */
  private closeLevels(): void {
    while (this.ends[this.level]! <= this.position) this.popLevel();
  }

  // ---- values --------------------------------------------------------------------------------------------------------

  private checkCapture(): void {
    if (this.header.length > this.limits.maxCapturedBytes) {
      throw new DicomParseError('LIMIT_EXCEEDED', `A value of more than ${this.limits.maxCapturedBytes} bytes would have to be held.`);
    }
  }

  private beginValue(capture: boolean): void {
    this.remaining = this.header.length;
    this.capturing = capture;
    this.gathered.clear();
    if (this.header.length === 0) this.finishValue();
  }

  private passValue(bytes: Buffer, at: number, end: number): number {
    const taken = Math.min(this.remaining, end - at);
    if (this.capturing) this.gathered.append(bytes, at, at + taken);
    else if (this.headBytesWanted > 0) this.passHead(bytes, at, taken);
    this.remaining -= taken;
    this.position += taken;
    if (this.remaining === 0) this.finishValue();
    return taken;
  }

  /** The first bytes of a fragment tell whether a new image begins in it. */
  private passHead(bytes: Buffer, at: number, taken: number): void {
    for (let i = 0; i < taken && this.headBytesWanted > 0; i++, this.headBytesWanted--) this.head = ((this.head << 8) | bytes[at + i]!) >>> 0;
    if (this.headBytesWanted === 0) this.visitor.fragmentHead(this.head);
  }

  private finishValue(): void {
    const { header, gathered } = this;
    if (this.capturing) this.visitor.value(header.tag, header.vr, gathered.bytes, 0, gathered.length);
    this.capturing = false;
    this.closeLevels();
  }
}
