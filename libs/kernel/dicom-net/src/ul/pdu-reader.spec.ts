import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { rawData, rawPdu, rawPdv } from '@perennia/testing';
import type { AssociationAbort } from './abort-reason.js';
import { type PduHandler, PduReader } from './pdu-reader.js';

const LIMITS = { maxPduBytes: 1024, maxAssociateBytes: 2048 };

class Recorder implements PduHandler {
  readonly events: string[] = [];
  fragmentsSeen = 0;
  #value: Buffer[] = [];
  readonly reader: PduReader;

  constructor(limits = LIMITS, private readonly onFragment: () => void = () => undefined) {
    this.reader = new PduReader(this, limits);
  }
  control(type: number, body: Buffer): void {
    this.events.push(`control ${type} ${body.toString('hex')}`);
  }
  dataPdu(): void {
    this.events.push('data');
  }
  value(contextId: number, controlHeader: number): void {
    this.events.push(`value ${contextId} ${controlHeader}`);
  }
  fragment(bytes: Buffer): void {
    this.fragmentsSeen++;
    // Its memory is used again for others.
    this.#value.push(Buffer.from(bytes));
    this.onFragment();
  }
  valueEnd(): void {
    this.events.push(`end ${Buffer.concat(this.#value).toString('hex')}`);
    this.#value = [];
  }
  invalid(abort: AssociationAbort, detail: string): void {
    this.events.push(`invalid ${abort.source}/${abort.reason} ${detail}`);
  }
}

const value = fc.record({ id: fc.nat(255), control: fc.nat(3), data: fc.uint8Array({ maxLength: 40 }) })
  .map(({ id, control, data }) => rawPdv(id, control, Buffer.from(data)));
const pdu = fc.oneof(
  fc.array(value, { minLength: 1, maxLength: 5 }).map((values) => rawData(...values)),
  fc.constantFrom(3, 5, 6, 7).map((type) => rawPdu(type, Buffer.from([0, 1, 2, 3]))),
  fc.uint8Array({ minLength: 68, maxLength: 200 }).map((body) => rawPdu(1, Buffer.from(body))),
);

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, k = 0; at < bytes.length; k++) {
    const end = at + (sizes[k % sizes.length] ?? 1);
    chunks.push(Buffer.from(bytes.subarray(at, end)));
    at = end;
  }
  return chunks;
}

const header = (type: number, length: number): Buffer => rawPdu(type, Buffer.alloc(0), length);

describe('PDU reader', () => {
  it('given several readers that are stopped at each fragment, with chunks in one memory that is used again, then each gets its own bytes', () => {
    const readers = Array.from({ length: 6 }, () => {
      const halting: Recorder = new Recorder({ ...LIMITS, maxPduBytes: 1 << 20 }, () => halting.reader.stop());
      return halting;
    });
    const values = readers.map((_, number) => Array.from({ length: 5 }, (__, at) => Buffer.alloc(20_000, 16 * number + at)));
    const memory = Buffer.alloc(256 * 1024);
    readers.forEach(({ reader }, number) => {
      const length = rawData(...values[number]!.map((data) => rawPdv(1, 0, data))).copy(memory);
      reader.push(memory.subarray(0, length));
      memory.fill(0xee);
    });
    while (readers.some(({ reader }) => reader.stopped)) for (const { reader } of readers) reader.resume();
    for (const [number, { events }] of readers.entries()) {
      expect(events.filter((event) => event.startsWith('end'))).toEqual(values[number]!.map((data) => `end ${data.toString('hex')}`));
    }
  });

  it('given a handler that stops and goes on at once, then its memory is not given to others before it is done with it', () => {
    let turns = 0;
    const hasty: Recorder = new Recorder({ ...LIMITS, maxPduBytes: 1 << 20 }, () => {
      hasty.reader.stop();
      turns += 1;
      if (turns % 2 === 0) hasty.reader.resume();
      if (turns % 2 === 0 && turns > 2) hasty.reader.stop();
    });
    const other: Recorder = new Recorder({ ...LIMITS, maxPduBytes: 1 << 20 }, () => other.reader.stop());
    const values = Array.from({ length: 12 }, (_, at) => Buffer.alloc(2000, at));
    hasty.reader.push(rawData(...values.map((data) => rawPdv(1, 0, data))));
    while (hasty.reader.stopped) {
      hasty.reader.resume();
      other.reader.push(rawData(rawPdv(1, 0, Buffer.alloc(30_000, 0xee)), rawPdv(1, 0, Buffer.alloc(30_000, 0xee))));
    }
    expect(hasty.events.filter((event) => event.startsWith('end'))).toEqual(values.map((data) => `end ${data.toString('hex')}`));
  });

  it('given any PDUs cut anywhere, then it reports the same as for the whole', () => {
    fc.assert(fc.property(fc.array(pdu, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 9 }), (pdus, sizes) => {
      const bytes = Buffer.concat(pdus);
      const whole = new Recorder();
      whole.reader.push(bytes);
      for (const way of [sizes, [1]]) {
        const cutUp = new Recorder();
        for (const chunk of cut(bytes, way)) cutUp.reader.push(chunk);
        expect(cutUp.events).toEqual(whole.events);
      }
      expect(whole.events.filter((event) => event.startsWith('invalid'))).toEqual([]);
    }), { numRuns: 300, seed: 38 });
  });

  it('given a handler that stops it at every fragment, then nothing is lost and nothing comes before resume', () => {
    fc.assert(fc.property(fc.array(pdu, { maxLength: 6 }), fc.integer({ min: 1, max: 64 }), (pdus, size) => {
      const bytes = Buffer.concat(pdus);
      const whole = new Recorder();
      whole.reader.push(bytes);
      const halting: Recorder = new Recorder(LIMITS, () => halting.reader.stop());
      for (const chunk of cut(bytes, [size])) {
        halting.reader.push(chunk);
        while (halting.reader.stopped) {
          const before = halting.fragmentsSeen;
          halting.reader.resume();
          expect(halting.fragmentsSeen - before).toBeLessThanOrEqual(1);
        }
      }
      expect(halting.events).toEqual(whole.events);
    }), { numRuns: 200, seed: 39 });
  });

  it('given random bytes, then it never throws and says at most once that the stream is broken', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (chunks) => {
      const recorder = new Recorder();
      for (const chunk of chunks) recorder.reader.push(Buffer.from(chunk));
      expect(recorder.events.filter((event) => event.startsWith('invalid')).length).toBeLessThanOrEqual(1);
    }), { numRuns: 2000, seed: 40 });
  });

  it('given valid PDUs with a few bytes changed, then it never throws', () => {
    const change = fc.tuple(fc.nat(400), fc.nat(255));
    fc.assert(fc.property(fc.array(pdu, { minLength: 1, maxLength: 4 }), fc.array(change, { maxLength: 6 }), (pdus, changes) => {
      const bytes = Buffer.concat(pdus);
      for (const [at, to] of changes) if (at < bytes.length) bytes[at] = to;
      new Recorder().reader.push(bytes);
    }), { numRuns: 2000, seed: 41 });
  });

  it.each([
    ['type 0', header(0, 4), 'invalid 2/1 unknown PDU type'],
    ['type 8', header(8, 4), 'invalid 2/1 unknown PDU type'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'invalid 2/1 unknown PDU type'],
    ['TLS hello', Buffer.from('160301020001', 'hex'), 'invalid 2/1 unknown PDU type'],
    ['P-DATA of 4 GiB', header(4, 0xffffffff), 'invalid 2/6 P-DATA PDU longer than negotiated'],
    ['P-DATA one above the limit', header(4, 1025), 'invalid 2/6 P-DATA PDU longer than negotiated'],
    ['P-DATA without values', header(4, 0), 'invalid 2/6 P-DATA PDU without a presentation data value'],
    ['A-ASSOCIATE-RQ of 4 GiB', header(1, 0xffffffff), 'invalid 2/6 PDU length out of range'],
    ['A-ASSOCIATE-RQ one above the limit', header(1, 2049), 'invalid 2/6 PDU length out of range'],
    ['A-ASSOCIATE-RQ too short', header(1, 67), 'invalid 2/6 PDU length out of range'],
    ['A-RELEASE-RQ of another length', header(5, 5), 'invalid 2/6 PDU length out of range'],
    ['PDV of length 0', rawData(rawPdv(1, 3, Buffer.alloc(0), 0)), 'invalid 2/6 presentation data value shorter than its header'],
    ['PDV of length 1', rawData(rawPdv(1, 3, Buffer.alloc(0), 1)), 'invalid 2/6 presentation data value shorter than its header'],
    ['PDV longer than its PDU', rawData(rawPdv(1, 3, Buffer.alloc(8), 11)), 'invalid 2/6 presentation data value longer than its PDU'],
    ['bytes after the last PDV', rawPdu(4, Buffer.concat([rawPdv(1, 0, Buffer.alloc(2)), Buffer.alloc(5)])), 'invalid 2/6 P-DATA PDU with trailing bytes'],
  ])('given %s, then the stream is declared broken', (_name, bytes, expected) => {
    const recorder = new Recorder();
    recorder.reader.push(bytes);
    recorder.reader.push(Buffer.alloc(100, 4));
    expect(recorder.events.filter((event) => event.startsWith('invalid'))).toEqual([expected]);
  });

  it('given P-DATA and A-ASSOCIATE-RQ exactly at the limits, then both are taken', () => {
    const recorder = new Recorder();
    recorder.reader.push(rawData(rawPdv(1, 2, Buffer.alloc(1024 - 6))));
    recorder.reader.push(rawPdu(1, Buffer.alloc(2048)));
    expect(recorder.events.map((event) => event.split(' ')[0])).toEqual(['data', 'value', 'end', 'control']);
  });

  it('given fragments, then they are slices of what was pushed, not copies', () => {
    const pushed = rawData(rawPdv(1, 2, Buffer.alloc(100)));
    const seen: Buffer[] = [];
    const reader = new PduReader({
      control: () => undefined, dataPdu: () => undefined, value: () => undefined, valueEnd: () => undefined, invalid: () => undefined,
      fragment: (bytes) => void seen.push(bytes),
    }, LIMITS);
    reader.push(pushed);
    expect(seen.map((bytes) => bytes.buffer)).toEqual([pushed.buffer]);
  });
});
