import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { rawItem, rawPdu } from '@perennia/testing';
import { assert, property, uint8Array } from 'fast-check';
import { ContextResults } from './context-results.js';

const CONTEXTS = ['1.1', '1.2', '1.3'].map((abstractSyntax) => ({ abstractSyntax, transferSyntaxes: ['1.2.840.10008.1.2'] }));
const answer = (id: number, result: number): Buffer => rawItem(0x21, Buffer.concat([Buffer.from([id, 0, result, 0]), rawItem(0x40, Buffer.from('1.2.840.10008.1.2'))]));
const acceptance = (...items: Buffer[]): Buffer => rawPdu(2, Buffer.concat([Buffer.alloc(68), rawItem(0x10, Buffer.from('1.2.840.10008.3.1.1.1')), ...items]));

/** What is told after these chunks came. */
function refusedAfter(...chunks: Buffer[]): [string, number | undefined, string][] {
  const transport = new PassThrough();
  const results = new ContextResults(transport);
  for (const chunk of chunks) transport.emit('data', chunk);
  return results.refused(CONTEXTS).map(({ abstractSyntax, result, reason }) => [abstractSyntax, result, reason]);
}
const REFUSED = [['1.2', 3, 'abstract syntax (SOP class) not supported'], ['1.3', 9, 'undefined result 9']];

describe('ContextResults', () => {
  const pdu = acceptance(answer(5, 9), answer(1, 0), answer(3, 3));

  it('tells the results of those that were refused, in the order in which they were proposed', () => {
    expect(refusedAfter(pdu)).toEqual(REFUSED);
  });

  it('given the answer in pieces, and more behind it, then it tells the same', () => {
    for (let at = 1; at < pdu.length; at++) expect(refusedAfter(pdu.subarray(0, at), Buffer.concat([pdu.subarray(at), Buffer.from([4, 0])]))).toEqual(REFUSED);
  });

  it('given a context without an answer, then it is told as not answered', () => {
    expect(refusedAfter(acceptance(answer(1, 0), answer(3, 0)))).toEqual([['1.3', undefined, 'not answered']]);
  });

  it('listens no longer than until the answer is there', () => {
    for (const bytes of [pdu, Buffer.from('HTTP/1.1 400 Bad Request'), rawPdu(3, Buffer.from([0, 1, 1, 1])), rawPdu(2, Buffer.alloc(4), 0xffffffff)]) {
      const transport = new PassThrough();
      const results = new ContextResults(transport);
      transport.emit('data', bytes);
      expect(transport.listenerCount('data')).toBe(0);
      expect(results.refused([])).toEqual([]);
    }
  });

  it('given any bytes, then nothing is thrown', () => {
    assert(property(uint8Array({ maxLength: 64 }), (items) => {
      refusedAfter(acceptance(Buffer.from(items)));
      refusedAfter(Buffer.from(items));
    }));
  });
});
