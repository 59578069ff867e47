// Streaming reader of multipart/related (RFC 2046 §5.1) over chunks of any size, the boundary anywhere in them. Bytes of
// parts are handed on as views of the incoming chunks; only a tail that may be the start of a delimiter is kept back and
// joined with the next chunk. All searching is Buffer.indexOf: there is no loop over bytes.
import { DicomWebError } from './dicom-web-error.js';
import { parsePartHeaders, type PartHeaders } from './part-headers.js';

export type MultipartEvent =
  | { kind: 'part'; index: number; headers: PartHeaders }
  | { kind: 'data'; chunk: Buffer }
  | { kind: 'end' };

export interface MultipartLimits {
  maxParts: number;
  /** All headers of one part together. */
  maxHeaderBytes: number;
}
export const DEFAULT_MULTIPART_LIMITS: MultipartLimits = { maxParts: 10_000, maxHeaderBytes: 16 * 1024 };

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
const SPACE = 0x20;
const TAB = 0x09;
const LINE_BREAK = Buffer.from('\r\n');
const HEADERS_END = Buffer.from('\r\n\r\n');
const EMPTY = Buffer.alloc(0);
/** White space that may follow a boundary (RFC 2046 "transport padding"). */
const MAX_PADDING_BYTES = 64;

type State = 'preamble' | 'headers' | 'body' | 'epilogue';
interface DelimiterLine {
  start: number;
  /** First byte after the line, its line break not included. */
  end: number;
  last: boolean;
}

export class MultipartReader {
  readonly #delimiter: Buffer;
  #state: State = 'preamble';
  // The first delimiter may stand at the very start: pretend the line break before it.
  #held: Buffer = LINE_BREAK;
  #parts = 0;
  #skipBytes = 0;

  constructor(
    boundary: string,
    private readonly limits: MultipartLimits = DEFAULT_MULTIPART_LIMITS,
  ) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  }

  /** Takes the next bytes and gives what they complete; iterate to the end before the next call. */
  *push(chunk: Buffer): Generator<MultipartEvent, void, void> {
    const input = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = EMPTY;
    yield* this.#consume(input, false);
  }

  /** The input has ended. @throws DicomWebError when the last delimiter never came */
  *finish(): Generator<MultipartEvent, void, void> {
    const input = this.#held;
    this.#held = EMPTY;
    yield* this.#consume(input, true);
    if (this.#state !== 'epilogue') throw new DicomWebError('syntax', 'The multipart body ends without its final boundary');
  }

  *#consume(input: Buffer, ended: boolean): Generator<MultipartEvent, void, void> {
    let rest = input;
    while (rest.length > 0 && this.#state !== 'epilogue') {
      if (this.#state === 'headers') {
        const end = this.#endOfHeaders(rest);
        if (end < 0) {
          this.#held = rest;
          return;
        }
        yield { kind: 'part', index: this.#parts - 1, headers: parsePartHeaders(rest.subarray(0, end)) };
        this.#state = 'body';
        // The blank line may itself begin a delimiter (a part without body), so it stays, to be skipped as data.
        this.#skipBytes = 2;
        rest = rest.subarray(end + 2);
      }
      const found = this.#findDelimiter(rest, ended);
      const dataEnd = found.line ? found.line.start : found.holdFrom;
      if (this.#state === 'body') {
        const skipped = Math.min(this.#skipBytes, dataEnd);
        this.#skipBytes -= skipped;
        if (dataEnd > skipped) yield { kind: 'data', chunk: rest.subarray(skipped, dataEnd) };
      }
      if (!found.line) {
        this.#held = rest.subarray(dataEnd);
        return;
      }
      if (this.#state === 'body') yield { kind: 'end' };
      this.#enter(found.line);
      rest = rest.subarray(found.line.end);
    }
  }

  #enter(line: DelimiterLine): void {
    if (line.last) {
      this.#state = 'epilogue';
      return;
    }
    if (++this.#parts > this.limits.maxParts) throw new DicomWebError('limit', `The body has more than ${this.limits.maxParts} parts`);
    this.#state = 'headers';
  }

  #endOfHeaders(rest: Buffer): number {
    const end = rest.indexOf(HEADERS_END);
    // Not found yet: up to three bytes of the end may be there.
    if ((end < 0 ? rest.length - 3 : end) > this.limits.maxHeaderBytes) {
      throw new DicomWebError('limit', `The headers of a part are longer than ${this.limits.maxHeaderBytes} bytes`);
    }
    return end;
  }

  #findDelimiter(rest: Buffer, ended: boolean): { line: DelimiterLine } | { line?: undefined; holdFrom: number } {
    for (let start = rest.indexOf(this.#delimiter); start >= 0; start = rest.indexOf(this.#delimiter, start + 2)) {
      const line = this.#delimiterLine(rest, start, ended);
      if (line === 'undecided') return { holdFrom: start };
      if (line) return { line };
    }
    return { holdFrom: ended ? rest.length : this.#possibleStart(rest) };
  }

  /** Where in the last bytes a delimiter may begin whose rest is still to come; the length when nowhere. */
  #possibleStart(rest: Buffer): number {
    const from = Math.max(0, rest.length - this.#delimiter.length + 1);
    for (let at = rest.indexOf(CR, from); at >= 0; at = rest.indexOf(CR, at + 1)) {
      if (rest.compare(this.#delimiter, 0, rest.length - at, at) === 0) return at;
    }
    return rest.length;
  }

  /** @returns null when the bytes only look like our delimiter (a longer word follows) */
  #delimiterLine(rest: Buffer, start: number, ended: boolean): DelimiterLine | 'undecided' | null {
    const unknown = ended ? null : 'undecided';
    let at = start + this.#delimiter.length;
    if (at === rest.length) return unknown;
    const last = rest[at] === DASH;
    if (last) {
      if (at + 1 === rest.length) return unknown;
      if (rest[at + 1] !== DASH) return null;
      at += 2;
    }
    const paddingEnd = Math.min(rest.length, at + MAX_PADDING_BYTES);
    while (at < paddingEnd && (rest[at] === SPACE || rest[at] === TAB)) at++;
    if (at === rest.length) return ended && last ? { start, end: at, last } : unknown;
    if (rest[at] !== CR) return null;
    if (at + 1 === rest.length) return ended && last ? { start, end: at, last } : unknown;
    return rest[at + 1] === LF ? { start, end: at, last } : null;
  }
}
