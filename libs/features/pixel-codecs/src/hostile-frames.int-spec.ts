// Frames that mean harm, and such as are merely broken: each costs its own task, and nothing else.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CancelledError, LimitExceededError, UnavailableError } from '@perennia/errors';
import { CodecPool, CodecTimeoutError, CodestreamError, ENCODED_TRANSFER_SYNTAXES, pixelEncodingOf, type PixelModule } from './index.js';
import { generatedImage, grey, randomNumbers } from './test-parts/generated-image.js';
import { scanBomb } from './test-parts/scan-bomb.js';

const LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const JPEG_BASELINE = '1.2.840.10008.1.2.4.50';
const JPEG_2000 = '1.2.840.10008.1.2.4.90';
const encapsulated = ENCODED_TRANSFER_SYNTAXES.filter((uid) => pixelEncodingOf(uid)!.codec !== 'native');
const module = grey(16, 12, 0);
const native = generatedImage(module);
const good = new Map<string, Uint8Array>();

const pool = new CodecPool({ threads: 2 });
beforeAll(async () => {
  for (const uid of encapsulated) good.set(uid, (await pool.transcodeFrame(LITTLE_ENDIAN, uid, module, native)).bytes);
});
afterAll(() => pool.close());

const outcome = (work: Promise<unknown>): Promise<unknown> => work.then(() => 'decoded', (error: unknown) => error);
const expectAlive = async (of: CodecPool): Promise<void> => {
  const { bytes } = await of.decodeFrame(encapsulated[0]!, module, good.get(encapsulated[0]!)!);
  expect(Buffer.compare(bytes, native)).toBe(0);
};
/** A frame whose header claims another size. */
function claims(uid: string, rows: number, columns: number): Buffer {
  const bytes = Buffer.from(good.get(uid)!);
  const sof = bytes.indexOf(Buffer.from([0xff, 0xf7]));
  if (pixelEncodingOf(uid)!.codec === 'jpeg-ls') {
    bytes.writeUInt16BE(rows, sof + 5);
    bytes.writeUInt16BE(columns, sof + 7);
  } else {
    bytes.writeUInt32BE(columns, 8);
    bytes.writeUInt32BE(rows, 12);
  }
  return bytes;
}

describe('B5: hostile codestreams', () => {
  it.each(encapsulated)('given frames of %s that end too early, when they are decoded, then each is refused', async (uid) => {
    const whole = good.get(uid)!;
    for (const share of [0, 0.01, 0.1, 0.5, 0.9]) {
      expect(await outcome(pool.decodeFrame(uid, module, whole.subarray(0, Math.floor(whole.length * share))))).toBeInstanceOf(CodestreamError);
    }
    await expectAlive(pool);
  });

  it.each([...encapsulated, JPEG_BASELINE, '1.2.840.10008.1.2.4.51', '1.2.840.10008.1.2.4.70', '1.2.840.10008.1.2.4.203'])('given random bytes as %s, when they are decoded, then they are refused', async (uid) => {
    const random = randomNumbers(3);
    for (const length of [0, 1, 64, 4096]) expect(await outcome(pool.decodeFrame(uid, module, Buffer.from(Array.from({ length }, () => 256 * random()))))).toBeInstanceOf(CodestreamError);
    await expectAlive(pool);
  });

  it.each(encapsulated)('given frames of %s with wrong bytes, when they are decoded, then each gives pixels of the size that was said, or an error of its own', async (uid) => {
    const random = randomNumbers(5);
    for (let round = 0; round < 25; round++) {
      const bytes = Uint8Array.from(good.get(uid)!);
      for (let flips = 0; flips < 1 + round % 4; flips++) bytes[Math.floor(random() * (round < 12 ? 120 : bytes.length))] = 256 * random();
      const result = await outcome(pool.decodeFrame(uid, module, bytes).then(({ bytes: { length } }) => expect(length).toBe(native.length)));
      if (result !== 'decoded') expect([CodestreamError, LimitExceededError, CodecTimeoutError].some((kind) => result instanceof kind)).toBe(true);
    }
    await expectAlive(pool);
  });

  it.each(encapsulated.filter((uid) => pixelEncodingOf(uid)!.codec !== 'rle'))('given %s that claims 65535×65535 pixels, when it is decoded, then it is refused before any thread sees it', async (uid) => {
    const own = new CodecPool();
    const huge: PixelModule = { ...module, rows: 65_535, columns: 65_535 };
    expect(await outcome(own.decodeFrame(uid, module, claims(uid, 65_535, 65_535)))).toBeInstanceOf(CodestreamError);
    expect(await outcome(own.decodeFrame(uid, huge, claims(uid, 65_535, 65_535)))).toBeInstanceOf(LimitExceededError);
    expect(own.threads).toBe(0);
    await own.close();
  });

  it('given a JPEG with 60,000 scans over 2048×2048 pixels, when it is decoded, then it is given up in time, and others are decoded meanwhile and afterwards', async () => {
    const own = new CodecPool({ threads: 2, frameTimeoutMs: 1500 });
    const begun = performance.now();
    const bomb = outcome(own.decodeFrame(JPEG_BASELINE, grey(8, 8, 0, { rows: 2048, columns: 2048 }), scanBomb(2048, 2048, 60_000)));
    await expectAlive(own);
    expect(await bomb).toBeInstanceOf(CodecTimeoutError);
    expect(performance.now() - begun).toBeLessThan(5000);
    await expectAlive(own);
    await own.close();
  });

  it('given an image that needs more memory than a library may have, when it is encoded, then it is refused, and a small one is not', async () => {
    const own = new CodecPool({ threads: 1, memoryLimitBytes: 64 * 1024 * 1024 });
    const large = grey(16, 16, 0, { rows: 2500, columns: 2500 });
    expect(await outcome(own.transcodeFrame(LITTLE_ENDIAN, JPEG_2000, large, Buffer.alloc(2500 * 2500 * 2)))).toBeInstanceOf(LimitExceededError);
    await expectAlive(own);
    await own.close();
  });

  it('given a header that says another number of samples or bits than the instance, when it is decoded, then it is refused', async () => {
    const jpegLs = '1.2.840.10008.1.2.4.80';
    for (const other of [{ rows: 66 }, { columns: 94 }, { samplesPerPixel: 3 }, { bitsAllocated: 8, bitsStored: 8, highBit: 7 }]) {
      expect(await outcome(pool.decodeFrame(jpegLs, { ...module, ...other }, good.get(jpegLs)!))).toBeInstanceOf(CodestreamError);
    }
  });
});

describe('CodecPool', () => {
  it('given frames that wait, when their caller gives up, then they are cancelled and the others decoded', async () => {
    const own = new CodecPool({ threads: 1 });
    const controller = new AbortController();
    const kept = outcome(own.transcodeFrame(LITTLE_ENDIAN, JPEG_2000, module, native));
    const given = [1, 2, 3].map(() => outcome(own.transcodeFrame(LITTLE_ENDIAN, JPEG_2000, module, native, controller.signal)));
    controller.abort();
    expect(await Promise.all(given)).toEqual([expect.any(CancelledError), expect.any(CancelledError), expect.any(CancelledError)]);
    expect(await kept).toBe('decoded');
    await own.close();
  });

  it('given more frames than may wait, when another one comes, then it is refused for now', async () => {
    const own = new CodecPool({ threads: 1, maxWaiting: 1 });
    const work = [1, 2, 3].map(() => outcome(own.transcodeFrame(LITTLE_ENDIAN, JPEG_2000, module, native)));
    expect(await Promise.all(work)).toEqual(['decoded', 'decoded', expect.any(UnavailableError)]);
    await own.close();
  });

  it('given a pool that has nothing to do, when some time has passed, then its threads have ended', async () => {
    const own = new CodecPool({ threads: 1, idleMs: 20 });
    await expectAlive(own);
    expect(own.threads).toBe(1);
    while (own.threads > 0) await new Promise(setImmediate);
    await own.close();
  });

  it('given a frame in a thread, when the pool is closed, then it is cancelled, and so is what comes later', async () => {
    const own = new CodecPool({ threads: 1 });
    const begun = outcome(own.transcodeFrame(LITTLE_ENDIAN, JPEG_2000, module, native));
    await own.close();
    expect(await begun).toBeInstanceOf(CancelledError);
    expect(await outcome(own.transcodeFrame(LITTLE_ENDIAN, JPEG_2000, module, native))).toBeInstanceOf(CancelledError);
  });

  it('given bytes that are a view of more, when they are transcoded, then they and what is around them stay as they are', async () => {
    const around = Buffer.concat([Buffer.alloc(7, 1), native, Buffer.alloc(7, 2)]);
    const before = Buffer.from(around);
    await pool.transcodeFrame('1.2.840.10008.1.2.2', LITTLE_ENDIAN, module, around.subarray(7, 7 + native.length));
    expect(Buffer.compare(around, before)).toBe(0);
  });
});
