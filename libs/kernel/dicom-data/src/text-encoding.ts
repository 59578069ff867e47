// Unicode text as bytes of a Specific Character Set (0008,0005), for answers in the set of whoever asked: UTF-8 and the sets of one byte a
// character without code extensions (PS3.3 Table C.12-2). Others have no encoder here; UTF-8 stands in for them.
import { type CodeElement, DESIGNATIONS, UPPER_HALF_OF } from './code-element.js';

export interface TextEncoding {
  /** As written in (0008,0005); '' for the default repertoire. */
  readonly term: string;
  /** Null when the set lacks a character of the text. */
  encode(text: string): Buffer | null;
}

export const UTF_8: TextEncoding = { term: 'ISO_IR 192', encode: (text) => Buffer.from(text, 'utf8') };

/** ISO 646: what every set begins with. */
const DEFAULT_REPERTOIRE: TextEncoding = { term: '', encode: (text) => (isAscii(text) ? Buffer.from(text, 'latin1') : null) };

/** @param term the only value of (0008,0005), or the first; undefined where the set has no encoder */
export function textEncodingOf(term: string): TextEncoding | undefined {
  if (term === '' || term === 'ISO_IR 6') return DEFAULT_REPERTOIRE;
  if (term === UTF_8.term) return UTF_8;
  let encoding = made.get(term);
  if (encoding === undefined && !made.has(term) && made.size < MAX_TERMS) made.set(term, (encoding = encodingOf(term)));
  return encoding;
}

/** Terms come from input. */
const MAX_TERMS = 64;
const made = new Map<string, TextEncoding | undefined>();

function encodingOf(term: string): TextEncoding | undefined {
  const designation = UPPER_HALF_OF.get(/^ISO_IR (\d+)$/.exec(term)?.[1] ?? '');
  const element = designation === undefined ? undefined : DESIGNATIONS.get(designation)!.element;
  if (element?.width !== 1) return undefined;
  const bytes = upperHalf(element);
  return { term, encode: (text) => encodeSingleBytes(text, bytes) };
}

function upperHalf(element: CodeElement): ReadonlyMap<number, number> {
  const bytes = new Map<number, number>();
  for (let byte = 0xa0; byte <= 0xff; byte++) {
    const character = element.decode(Uint8Array.of(byte)).codePointAt(0);
    if (character !== undefined && character !== 0xfffd) bytes.set(character, byte);
  }
  return bytes;
}

function encodeSingleBytes(text: string, upper: ReadonlyMap<number, number>): Buffer | null {
  const composed = text.normalize('NFC');
  const bytes = Buffer.allocUnsafe(composed.length);
  for (let at = 0; at < composed.length; at++) {
    const character = composed.charCodeAt(at);
    const byte = character < 0x80 ? character : upper.get(character);
    if (byte === undefined) return null;
    bytes[at] = byte;
  }
  return bytes;
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) >= 0x80) return false;
  return true;
}
