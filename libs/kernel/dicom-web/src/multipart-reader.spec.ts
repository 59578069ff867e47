import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MultipartReader, type MultipartLimits } from './multipart-reader.js';

interface Part {
  headers: Record<string, string>;
  body: Buffer;
}

function readAll(chunks: Iterable<Buffer>, boundary = 'b', limits?: MultipartLimits): Part[] {
  const reader = new MultipartReader(boundary, limits);
  const parts: Part[] = [];
  const pieces: Buffer[] = [];
  const take = (events: ReturnType<MultipartReader['push']>): void => {
    for (const event of events) {
      if (event.kind === 'part') parts.push({ headers: Object.fromEntries(event.headers), body: Buffer.alloc(0) });
      else if (event.kind === 'data') pieces.push(Buffer.from(event.chunk));
      else parts.at(-1)!.body = Buffer.concat(pieces.splice(0));
    }
  };
  for (const chunk of chunks) take(reader.push(chunk));
  take(reader.finish());
  return parts;
}
const cut = (whole: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(whole.length / size) }, (_, index) => whole.subarray(index * size, (index + 1) * size));
const text = (value: string): Buffer => Buffer.from(value, 'latin1');
const header = (bytes: number): Buffer => text(`--b\r\nA: ${'x'.repeat(bytes - 5)}\r\n\r\n1\r\n--b--`);
const parts = (count: number): Buffer => text('--b\r\n\r\nx\r\n'.repeat(count) + '--b--');

describe('MultipartReader', () => {
  const body = text('preamble\r\n--b\r\nContent-Type: application/dicom\r\nX-Long: one\r\n two\r\n\r\nfirst\r\n--b \t\r\n\r\n\r\nsecond\r\n--bad\r\n--b-\r\n--b--no\r\n\r\n--b--\r\nepilogue\r\n--b\r\n');
  const expected = [
    { headers: { 'content-type': 'application/dicom', 'x-long': 'one two' }, body: text('first') },
    { headers: {}, body: text('\r\nsecond\r\n--bad\r\n--b-\r\n--b--no\r\n') },
  ];
  it.each([1, 2, 3, 5, 7, 16, 64, 1000])('reads parts, padding and lookalikes in chunks of %d bytes', (size) => {
    expect(readAll(cut(body, size))).toEqual(expected);
  });

  it('finds the first boundary at the very start and the last at the very end', () => {
    expect(readAll([text('--b\r\n\r\nx\r\n--b--')])).toEqual([{ headers: {}, body: text('x') }]);
    expect(readAll(cut(text('--b\r\n\r\nx\r\n--b--'), 1))).toEqual([{ headers: {}, body: text('x') }]);
  });
  it('reads empty parts, with and without their blank line', () => {
    const input = text('--b\r\nA: 1\r\n\r\n\r\n--b\r\nA: 2\r\n\r\n--b--\r\n');
    for (const size of [1, 4, 100]) expect(readAll(cut(input, size)).map((part) => part.body.length)).toEqual([0, 0]);
  });
  it.each([['no final boundary', '--b\r\n\r\nx'], ['nothing', ''], ['half a final boundary', '--b\r\n\r\nx\r\n--b-'], ['half a header', '--b\r\nCont']])(
    'refuses a body with %s',
    (_, input) => expect(() => readAll([text(input)])).toThrow(/final boundary/),
  );
  it('refuses malformed and doubled headers', () => {
    expect(() => readAll([text('--b\r\nno colon\r\n\r\nx\r\n--b--')])).toThrow(/malformed/);
    expect(() => readAll([text('--b\r\nA: 1\r\na: 2\r\n\r\nx\r\n--b--')])).toThrow(/twice/);
  });
  it('takes headers and parts at the limit and refuses one more', () => {
    const limits = { maxParts: 3, maxHeaderBytes: 32 };
    expect(readAll([parts(3)], 'b', limits)).toHaveLength(3);
    expect(() => readAll([parts(4)], 'b', limits)).toThrow(/more than 3 parts/);
    expect(readAll(cut(header(32), 1), 'b', limits)).toHaveLength(1);
    expect(() => readAll(cut(header(33), 1), 'b', limits)).toThrow(/longer than 32/);
    expect(() => readAll([header(33)], 'b', limits)).toThrow(/longer than 32/);
  });

  it('gives back any bodies however the bytes are cut', () => {
    const anyBody = fc.array(fc.constantFrom('\r', '\n', '-', 'b', '\r\n--b', '\r\n--', 'x'), { maxLength: 12 }).map((bits) => bits.join(''));
    fc.assert(
      fc.property(fc.array(anyBody, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 40 }), (bodies, size) => {
        // A real writer never chooses a boundary that is a line of the body.
        fc.pre(bodies.every((each) => !/\r\n--b(--)?[ \t]*(\r\n|$)/.test(`\r\n${each}\r\n`)));
        const whole = text(bodies.map((each) => `--b\r\n\r\n${each}\r\n`).join('') + '--b--\r\n');
        expect(readAll(cut(whole, size)).map((part) => part.body.toString('latin1'))).toEqual(bodies);
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});
