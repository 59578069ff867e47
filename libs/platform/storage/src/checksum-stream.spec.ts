import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { buffer } from 'node:stream/consumers';
import { expect, it } from '@jest/globals';
import { CorruptDataError } from '@perennia/errors';
import { ChecksumStream } from './checksum-stream.js';

it('A checksum stream passes bytes on and ends well only when they match', async () => {
  const bytes = Buffer.alloc(200_000, 'abc');
  const good = new ChecksumStream(createHash('sha256').update(bytes).digest('hex'));
  const [read] = await Promise.all([buffer(good), pipeline(Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]), good)]);
  expect(read.equals(bytes)).toBe(true);
  expect(good.lengthBytes).toBe(bytes.length);
  const bad = new ChecksumStream(createHash('sha256').update('other').digest('hex'));
  bad.resume();
  await expect(pipeline(Readable.from([bytes]), bad)).rejects.toBeInstanceOf(CorruptDataError);
});
