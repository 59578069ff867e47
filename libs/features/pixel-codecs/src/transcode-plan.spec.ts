import { describe, expect, it } from '@jest/globals';
import { colour, grey } from './test-parts/generated-image.js';
import { planTranscode } from './transcode-plan.js';
import { UnsupportedTransferSyntaxError } from './unsupported-transfer-syntax-error.js';

const LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const IMPLICIT = '1.2.840.10008.1.2';
const RLE = '1.2.840.10008.1.2.5';
const JPEG_BASELINE = '1.2.840.10008.1.2.4.50';
const JPEG_LS = '1.2.840.10008.1.2.4.80';
const JPEG_2000_LOSSY = '1.2.840.10008.1.2.4.91';
const MPEG4 = '1.2.840.10008.1.2.4.102';

function alternatives(from: string, to: string, module = grey(16, 12, 0)): readonly string[] {
  try {
    planTranscode(from, to, module);
  } catch (error) {
    if (error instanceof UnsupportedTransferSyntaxError) return error.alternatives;
    throw error;
  }
  throw new Error('It is supported.');
}

describe('W05, D21: planTranscode', () => {
  it('given pixels that lost something, when they are asked for without compression, then they are given, and it is said', () => {
    const plan = planTranscode(JPEG_BASELINE, LITTLE_ENDIAN, colour(8, 0, 'YBR_FULL_422'));
    expect(plan.source.isLossy).toBe(true);
    expect(plan.result).toEqual(colour(8, 0));
  });
  it.each([JPEG_BASELINE, '1.2.840.10008.1.2.4.51', '1.2.840.10008.1.2.4.81', JPEG_2000_LOSSY, '1.2.840.10008.1.2.4.203'])('given good pixels, when they are asked for as %s, which loses something, then never', (lossy) => {
    expect(alternatives(LITTLE_ENDIAN, lossy)).toEqual([LITTLE_ENDIAN, IMPLICIT, '1.2.840.10008.1.2.1.99', RLE, JPEG_LS, '1.2.840.10008.1.2.4.90', '1.2.840.10008.1.2.4.201']);
  });
  it('given a video, when anything else is asked for, then there is only what is stored', () => {
    expect(alternatives(MPEG4, LITTLE_ENDIAN, colour(8, 0))).toEqual([MPEG4]);
  });
  it('given colour that pixels share, when it is to be compressed, then it is not', () => {
    expect(alternatives(LITTLE_ENDIAN, JPEG_LS, colour(8, 0, 'YBR_FULL_422'))).toEqual([LITTLE_ENDIAN, IMPLICIT, '1.2.840.10008.1.2.1.99']);
  });
  it('given a lossless codestream said to have colour that pixels share, when it is decoded, then each has its own', () => {
    expect(planTranscode('1.2.840.10008.1.2.4.70', LITTLE_ENDIAN, colour(8, 0, 'YBR_FULL_422')).result).toEqual(colour(8, 0, 'YBR_FULL'));
  });
  it('given native little endian, when another encoding of the dataset is asked for, then the pixels stay', () => {
    expect(planTranscode(IMPLICIT, LITTLE_ENDIAN, grey(1, 1, 0))).toMatchObject({ isIdentity: true });
    expect(planTranscode('1.2.840.10008.1.2.2', LITTLE_ENDIAN, grey(16, 12, 0))).toMatchObject({ isIdentity: false });
  });
  it('given samples by plane, when they are compressed, then they come by pixel', () => {
    expect(planTranscode(LITTLE_ENDIAN, RLE, colour(8, 1)).result.planarConfiguration).toBe(0);
    expect(planTranscode(LITTLE_ENDIAN, IMPLICIT, colour(8, 1)).result.planarConfiguration).toBe(1);
  });
});
