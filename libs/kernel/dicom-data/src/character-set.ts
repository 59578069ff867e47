// Turns the bytes of text values into Unicode by Specific Character Set (0008,0005): PS3.3 §C.12.1.1.2, PS3.5 §6.1.2.
// Never fails: what cannot be decoded becomes U+FFFD, since a name half read is worth more than a study refused.
import { ascii, type CodeElement, DESIGNATIONS, UPPER_HALF_OF } from './code-element.js';

const ESC = 0x1b;
/** VRs whose values the character set concerns (PS3.5 §6.1.2.2); all others are ISO 646. */
const AFFECTED = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT']);

/** Whether values of the VR are written in the Specific Character Set; all others are ISO 646. */
export function isAffectedByCharacterSet(vr: string): boolean {
  return AFFECTED.has(vr);
}

export class CharacterSet {
  /** Terms that are not of the standard; the values are then read as UTF-8 where they are valid, else as ISO 8859-1. */
  readonly unknownTerms: readonly string[];

  private constructor(
    private readonly whole: ((bytes: Uint8Array) => string) | undefined,
    private readonly initialUpper: CodeElement | undefined,
    unknownTerms: string[],
  ) {
    this.unknownTerms = unknownTerms;
  }

  /** The character set of the values of (0008,0005); none or an empty one is ISO 646 (read as ISO 8859-1, its superset). */
  static of(values: readonly string[]): CharacterSet {
    const key = values.join('\\');
    let set = cache.get(key);
    if (set === undefined) {
      set = CharacterSet.build(values.map(normalise));
      // Terms come from input, so the cache is bounded.
      if (cache.size < 256) cache.set(key, set);
    }
    return set;
  }

  private static build(terms: string[]): CharacterSet {
    const first = terms[0] ?? '';
    const unknown = terms.filter((term) => !isKnown(term));
    const whole = WHOLE.get(first);
    if (whole !== undefined) return new CharacterSet(textDecoder(whole), undefined, unknown);
    if (!isKnown(first)) return new CharacterSet(decodeUndeclared, undefined, unknown);
    const designation = UPPER_HALF_OF.get(registration(first));
    const upper = designation === undefined ? undefined : DESIGNATIONS.get(designation)!.element;
    return new CharacterSet(undefined, upper, unknown);
  }

  /** Decodes a value, all its backslash separated parts together, by the rules of its VR. */
  decode(bytes: Uint8Array, vr: string): string {
    const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.decodeRange(buffer, 0, buffer.length, vr);
  }

  /** As `decode`, for a range of a larger buffer. */
  decodeRange(buffer: Buffer, start: number, end: number, vr: string): string {
    if (isPlain(buffer, start, end) || !AFFECTED.has(vr)) return buffer.toString('latin1', start, end);
    const bytes = buffer.subarray(start, end);
    return this.whole === undefined ? this.decodeIso2022(bytes, vr) : this.whole(bytes);
  }

  /**
   * ISO 2022 with designations in the value itself. At a delimiter the initial designations return (PS3.5 §6.1.2.5.3), but
   * where the initial set has no upper half, the last one designated goes on being used: without it those bytes had no meaning.
   */
  private decodeIso2022(bytes: Buffer, vr: string): string {
    let g0: CodeElement = ascii;
    let g1 = this.initialUpper;
    let lastUpper = g1;
    let text = '';
    let at = 0;
    while (at < bytes.length) {
      const byte = bytes[at]!;
      if (byte === ESC) {
        const sequence = escapeSequence(bytes, at + 1);
        const designated = DESIGNATIONS.get(sequence);
        if (designated?.half === 'g0') g0 = designated.element;
        else if (designated !== undefined) lastUpper = g1 = designated.element;
        at += 1 + sequence.length;
        continue;
      }
      if (byte < 0x80) {
        const isControl = byte <= 0x20;
        const runEnd = isControl || (g0.width === 1 && isDelimiter(byte, vr)) ? at + 1 : runOf(bytes, at, g0, vr);
        text += (isControl ? ascii : g0).decode(bytes.subarray(at, runEnd));
        if (runEnd === at + 1 && (byte === 0x0a || byte === 0x0d || byte === 0x0c || (g0.width === 1 && isDelimiter(byte, vr)))) {
          g0 = ascii;
          g1 = this.initialUpper;
        }
        at = runEnd;
        continue;
      }
      const runEnd = upperRun(bytes, at);
      text += (g1 ?? lastUpper ?? ascii).decode(bytes.subarray(at, runEnd));
      at = runEnd;
    }
    return text;
  }
}

const cache = new Map<string, CharacterSet>();

/** Code tables that are no part of ISO 2022 (PS3.3 Table C.12-5): one decoder for the whole value. */
const WHOLE: ReadonlyMap<string, string> = new Map([['ISO_IR 192', 'utf-8'], ['GB18030', 'gb18030'], ['GBK', 'gbk']]);
const NO_UPPER_HALF = new Set(['', 'ISO_IR 6', 'ISO 2022 IR 6', 'ISO 2022 IR 87', 'ISO 2022 IR 159', 'ISO_IR 87', 'ISO_IR 159']);

/** The ISO registration number of a normalised term, `''` where it has none. */
function registration(term: string): string {
  return /^ISO(?:_| 2022 )IR (\d+)$/.exec(term)?.[1] ?? '';
}
function isKnown(term: string): boolean {
  return NO_UPPER_HALF.has(term) || WHOLE.has(term) || UPPER_HALF_OF.has(registration(term));
}
/** Writers put underscores, hyphens and blanks where the standard has others: `ISO 2022_IR 87`, `ISO-IR 100`. */
function normalise(term: string): string {
  const found = /^ISO[ _-]?(2022[ _-]?)?IR[ _-]?(\d+)$/i.exec(term.trim());
  if (found === null) return term.trim().toUpperCase() === 'UTF-8' ? 'ISO_IR 192' : term.trim();
  return found[1] === undefined ? `ISO_IR ${found[2]}` : `ISO 2022 IR ${found[2]}`;
}
function textDecoder(label: string): (bytes: Uint8Array) => string {
  const decoder = new TextDecoder(label, { ignoreBOM: true });
  return (bytes) => decoder.decode(bytes);
}
function decodeUndeclared(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Not UTF-8, so the superset of ISO 646 that loses nothing.
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  }
}

/** Whether all bytes are ISO 646 without escapes, as nearly all are. */
function isPlain(buffer: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = buffer[at]!;
    if (byte >= 0x80 || byte === ESC) return false;
  }
  return true;
}
/** Intermediate bytes (0x20-0x2F) and one final byte, ISO/IEC 2022. */
function escapeSequence(bytes: Buffer, start: number): string {
  let end = start;
  while (end < bytes.length && bytes[end]! >= 0x20 && bytes[end]! <= 0x2f) end++;
  // `ESC $ B` and `ESC $ @`: the dollar is an intermediate byte, so the rule holds for them too.
  return bytes.toString('latin1', start, Math.min(end + 1, bytes.length));
}
function isDelimiter(byte: number, vr: string): boolean {
  if (byte === 0x5c) return vr !== 'ST' && vr !== 'LT' && vr !== 'UT';
  return vr === 'PN' && (byte === 0x5e || byte === 0x3d);
}
/** A run of G0 up to the next escape, control, delimiter or upper byte; two-byte characters are not looked into. */
function runOf(bytes: Buffer, start: number, element: CodeElement, vr: string): number {
  let at = start;
  if (element.width === 2) {
    while (at < bytes.length && bytes[at]! > 0x20 && bytes[at]! < 0x80) at += 2;
    return Math.min(at, bytes.length);
  }
  while (at < bytes.length && bytes[at]! > 0x20 && bytes[at]! < 0x80 && !isDelimiter(bytes[at]!, vr)) at++;
  return Math.max(at, start + 1);
}
function upperRun(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at]! >= 0x80) at++;
  return at;
}
