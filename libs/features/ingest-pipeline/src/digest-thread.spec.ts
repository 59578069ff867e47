import { createHash, randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { DigestThread } from './digest-thread.js';

const thread = new DigestThread();
afterAll(() => thread.close());

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function digestInChunks(bytes: Buffer, chunkBytes: number): Promise<string> {
  const digest = thread.begin();
  for (let at = 0; at < bytes.length; at += chunkBytes) await digest.update(bytes.subarray(at, at + chunkBytes));
  return digest.finish();
}

describe('DigestThread', () => {
  it.each([0, 1, 1000, 48 * 1024, 48 * 1024 + 1, 65_536, 526_000, 3_000_001])('gives the SHA-256 of %d bytes', async (length) => {
    const bytes = randomBytes(length);
    expect(await digestInChunks(bytes, 65_536)).toBe(sha256(bytes));
  });

  it('keeps many objects apart while their chunks alternate', async () => {
    const objects = Array.from({ length: 40 }, (_, n) => randomBytes(60_000 + n * 7919));
    const digests = await Promise.all(objects.map((bytes) => digestInChunks(bytes, 4099)));
    expect(digests).toEqual(objects.map(sha256));
  });

  it('takes more than its ring holds, in one chunk and without waiting for the caller', async () => {
    const bytes = randomBytes(40 * 1024 * 1024);
    const digest = thread.begin();
    const pending = digest.update(bytes);
    expect(pending).toBeInstanceOf(Promise);
    await pending;
    expect(await digest.finish()).toBe(sha256(bytes));
  });

  it('forgets a discarded object', async () => {
    const digest = thread.begin();
    await digest.update(randomBytes(100_000));
    digest.discard();
    const bytes = randomBytes(100_000);
    expect(await digestInChunks(bytes, 10_000)).toBe(sha256(bytes));
  });
});
