import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { parseByteRange } from './byte-range.js';
import { MultipartReader } from './multipart-reader.js';
import { MultipartWriter } from './multipart-writer.js';
import { bulkDataPath, instancePath, parseBulkDataElements } from './paths.js';
import { problemDetails } from './problem-details.js';
import { warningHeader } from './warning-header.js';

describe('parseByteRange', () => {
  it.each([
    ['bytes=0-9', { offset: 0, length: 10 }],
    ['bytes=90-', { offset: 90, length: 10 }],
    ['bytes=-5', { offset: 95, length: 5 }],
    ['bytes=-500', { offset: 0, length: 100 }],
    ['bytes=50-999', { offset: 50, length: 50 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=9-1', null],
    ['bytes=0-1,3-4', null],
    ['lines=1-2', null],
    [undefined, null],
  ])('reads %s of 100 bytes', (header, expected) => expect(parseByteRange(header, 100)).toEqual(expected));
});

describe('paths', () => {
  it('writes and reads the places of bulk data', () => {
    expect(bulkDataPath(instancePath('1', '2', '3'), ['00540016', '2', '7FE00010'])).toBe('/studies/1/series/2/instances/3/bulkdata/00540016/2/7FE00010');
    expect(parseBulkDataElements('00540016/2/7fe00010')).toEqual(['00540016', '2', '7FE00010']);
  });
  it.each(['', '0054', '00540016/0/7FE00010', '00540016/2', '../7FE00010'])('refuses %s', (text) => expect(parseBulkDataElements(text)).toBeNull());
});

describe('warningHeader', () => {
  it('joins sentences and lets nothing through that would break a header', () => {
    expect(warningHeader(['one', 'two "x"\r\né'])).toBe(`299 Perennia "one", 299 Perennia "two 'x'???"`);
  });
});

describe('problemDetails', () => {
  it('names kind, status and remedy', () => {
    expect(problemDetails(404, 'NOT_FOUND', 'No such study.')).toEqual({ type: 'urn:perennia:problem:not-found', title: 'Not found', status: 404, detail: 'No such study.' });
  });
});

describe('MultipartWriter', () => {
  it('writes what the reader reads, of the length it foretold, and waits for a slow sink', async () => {
    const parts = [{ headers: ['Content-Type: a/b'] }, { headers: ['Content-Type: c/d', 'Content-Location: /x'] }];
    const sink = new PassThrough({ highWaterMark: 4 });
    const writer = new MultipartWriter(sink, 'bound');
    const received: Buffer[] = [];
    const reading = (async () => {
      for await (const chunk of sink) received.push(chunk as Buffer);
    })();
    for (const part of parts) await writer.write([writer.beginPart(part), Buffer.from('12345')]);
    writer.end();
    await reading;
    const whole = Buffer.concat(received);
    expect(whole.length).toBe(MultipartWriter.framingBytes('bound', parts) + 10);
    const events = [...new MultipartReader('bound').push(whole)];
    expect(events.filter((event) => event.kind === 'data').map((event) => event.chunk.toString())).toEqual(['12345', '12345']);
  });
  it('fails when the receiver is gone', async () => {
    const sink = new PassThrough({ highWaterMark: 4 });
    const writer = new MultipartWriter(sink, 'bound');
    const writing = writer.write([Buffer.alloc(100)]);
    sink.destroy();
    await expect(writing).rejects.toThrow(/closed/);
    await expect(writer.write([Buffer.alloc(1)])).rejects.toThrow(/closed/);
  });
});
