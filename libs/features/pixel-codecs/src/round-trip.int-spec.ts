// Every lossless way through the pool, on images that need all their bits.
import { afterAll, describe, expect, it } from '@jest/globals';
import { CodecPool, CodestreamError, ENCODED_TRANSFER_SYNTAXES, pixelEncodingOf, UnsupportedTransferSyntaxError, type PixelModule } from './index.js';
import { interleaved } from './samples.js';
import { colour, generatedImage, grey } from './test-parts/generated-image.js';

const LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const BIG_ENDIAN = '1.2.840.10008.1.2.2';
const encapsulated = ENCODED_TRANSFER_SYNTAXES.filter((uid) => pixelEncodingOf(uid)!.codec !== 'native');
const images: [string, PixelModule][] = [
  ['8 bits', grey(8, 8, 0)], ['8 bits signed', grey(8, 8, 1)], ['12 bits', grey(16, 12, 0)], ['12 bits signed', grey(16, 12, 1)], ['16 bits', grey(16, 16, 0)], ['16 bits signed', grey(16, 16, 1)],
  ['10 bits', grey(16, 10, 0)], ['8 of 16 bits', grey(16, 8, 0)], ['8 of 16 bits signed', grey(16, 8, 1)], ['7 of 8 bits', grey(8, 7, 0)], ['32 bits', grey(32, 32, 0)],
  ['one pixel', grey(16, 12, 0, { rows: 1, columns: 1 })], ['one row', grey(8, 8, 0, { rows: 1, columns: 300 })], ['one column', grey(16, 16, 1, { rows: 300, columns: 1 })],
  ['RGB by pixel', colour(8, 0)], ['RGB by plane', colour(8, 1)], ['RGB of 16 bits', colour(16, 0)], ['RGB of 16 bits by plane', colour(16, 1)], ['YBR_FULL', colour(8, 0, 'YBR_FULL')],
];
/** What codecs do not have; refused by name, with the others as alternatives. */
const refused: readonly string[] = [
  'JPEG 2000 8 bits signed', 'HTJ2K 8 bits signed', 'JPEG 2000 8 of 16 bits signed', 'HTJ2K 8 of 16 bits signed', 'JPEG-LS 32 bits', 'JPEG 2000 32 bits', 'HTJ2K 32 bits', 'JPEG 2000 RGB of 16 bits',
  'HTJ2K RGB of 16 bits', 'JPEG 2000 RGB of 16 bits by plane', 'HTJ2K RGB of 16 bits by plane', 'JPEG 2000 YBR_FULL',
];
const names: Readonly<Record<string, string>> = { rle: 'RLE', 'jpeg-ls': 'JPEG-LS', jpeg2000: 'JPEG 2000', htj2k: 'HTJ2K' };
const cases = encapsulated.flatMap((uid) => images.map(([image, module]) => [`${names[pixelEncodingOf(uid)!.codec]} ${image}`, uid, module] as const));

const pool = new CodecPool({ threads: 2 });
afterAll(() => pool.close());

describe('B5: lossless transcoding', () => {
  it.each(cases.filter(([name]) => !refused.includes(name)))('given an image, when it becomes %s and comes back, then no bit differs', async (_name, uid, module) => {
    const native = generatedImage(module);
    const pixels = module.planarConfiguration === 1 ? interleaved(native, module) : native;
    const encoded = await pool.transcodeFrame(LITTLE_ENDIAN, uid, module, native);
    const decoded = await pool.decodeFrame(uid, encoded.module, encoded.bytes);
    expect(Buffer.compare(decoded.bytes, pixels)).toBe(0);
    expect(decoded).toMatchObject({ module: { ...module, planarConfiguration: 0 }, isLossy: false });
  });

  it.each(cases.filter(([name]) => refused.includes(name)))('given an image that the codec does not have, when it is to become %s, then it is refused with what can be had', async (_name, uid, module) => {
    const error: unknown = await pool.transcodeFrame(LITTLE_ENDIAN, uid, module, generatedImage(module)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnsupportedTransferSyntaxError);
    expect((error as UnsupportedTransferSyntaxError).alternatives).toEqual(expect.arrayContaining([LITTLE_ENDIAN, '1.2.840.10008.1.2.5']));
    expect((error as UnsupportedTransferSyntaxError).alternatives).not.toContain(uid);
  });

  it.each(encapsulated)('given 12 bits with an overlay in the bits above them, when it becomes %s and comes back, then the overlay is there', async (uid) => {
    const module = grey(16, 12, 0);
    const native = generatedImage(module);
    native[1001]! |= 0x80;
    const encoded = await pool.transcodeFrame(LITTLE_ENDIAN, uid, module, native);
    expect(Buffer.compare((await pool.decodeFrame(uid, encoded.module, encoded.bytes)).bytes, native)).toBe(0);
  });

  it.each(encapsulated.flatMap((from) => encapsulated.filter((to) => to !== from).map((to) => [from, to])))('given a frame in %s, when it becomes %s, then no bit differs', async (from, to) => {
    const module = grey(16, 12, 1);
    const native = generatedImage(module);
    const first = await pool.transcodeFrame(LITTLE_ENDIAN, from, module, native);
    const second = await pool.transcodeFrame(from, to, first.module, first.bytes);
    expect(Buffer.compare((await pool.decodeFrame(to, second.module, second.bytes)).bytes, native)).toBe(0);
  });

  it.each([[16, 'swap16'], [32, 'swap32']] as const)('given big endian samples of %i bits, when they become little endian, then their bytes are turned', async (bits, swap) => {
    const native = generatedImage(grey(bits, bits, 0));
    const { bytes } = await pool.decodeFrame(BIG_ENDIAN, grey(bits, bits, 0), Buffer.from(native)[swap]());
    expect(Buffer.compare(bytes, native)).toBe(0);
  });

  it('given 8 bits in words of big endian, when they become little endian, then the words are turned and the padding is gone', async () => {
    const module: PixelModule = { ...grey(8, 8, 0, { rows: 1, columns: 3 }), pixelDataVr: 'OW' };
    expect((await pool.decodeFrame(BIG_ENDIAN, module, Buffer.of(2, 1, 0, 3))).bytes).toEqual(Uint8Array.of(1, 2, 3));
    expect((await pool.decodeFrame(BIG_ENDIAN, { ...module, pixelDataVr: 'OB' }, Buffer.of(1, 2, 3, 0))).bytes).toEqual(Uint8Array.of(1, 2, 3));
    await expect(pool.decodeFrame(BIG_ENDIAN, module, Buffer.of(2, 1, 0))).rejects.toThrow(CodestreamError);
  });

  it('given RGB, when it becomes JPEG 2000 or HTJ2K, then the header has to say YBR_RCT, and RGB again when it is decoded', async () => {
    for (const uid of ['1.2.840.10008.1.2.4.90', '1.2.840.10008.1.2.4.201']) {
      const encoded = await pool.transcodeFrame(LITTLE_ENDIAN, uid, colour(8, 1), generatedImage(colour(8, 1)));
      expect(encoded.module).toEqual({ ...colour(8, 0), photometricInterpretation: 'YBR_RCT' });
      expect((await pool.decodeFrame(uid, encoded.module, encoded.bytes)).module).toEqual(colour(8, 0));
    }
  });

  it.each(['1.2.840.10008.1.2.4.202', '1.2.840.10008.1.2.4.203'])('given HTJ2K ordered by resolution, when it is decoded as %s, then no bit differs', async (uid) => {
    const module = grey(16, 12, 1);
    const { bytes } = await pool.transcodeFrame(LITTLE_ENDIAN, '1.2.840.10008.1.2.4.201', module, generatedImage(module));
    expect(Buffer.compare((await pool.decodeFrame(uid, module, bytes)).bytes, generatedImage(module))).toBe(0);
  });

  it('given the transfer syntax that is stored, when it is asked for, then the bytes are the same ones, whatever they are', async () => {
    const bytes = Buffer.from('no codestream at all');
    expect((await pool.transcodeFrame('1.2.840.10008.1.2.4.91', '1.2.840.10008.1.2.4.91', grey(8, 8, 0), bytes)).bytes).toBe(bytes);
  });
});
