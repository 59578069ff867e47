import { describe, expect, it } from '@jest/globals';
import { InvalidInputError } from '@perennia/errors';
import { nativeFrameBytes, pixelModuleOf } from './pixel-module.js';
import { colour, grey } from './test-parts/generated-image.js';

const us = (value: unknown) => ({ vr: 'US', Value: [value] });
const dataset = { '00280002': us(1), '00280004': { vr: 'CS', Value: ['MONOCHROME1'] }, '00280010': us(512), '00280011': us(256), '00280100': us(16), '00280101': us(12), '00280102': us(11), '00280103': us(1) };

describe('pixelModuleOf', () => {
  it('given an Image Pixel Module, when it is read, then its values have names', () => {
    expect(pixelModuleOf(dataset)).toEqual({ ...grey(16, 12, 1, { rows: 512, columns: 256 }), photometricInterpretation: 'MONOCHROME1' });
  });
  it('given a planar configuration of one sample, when it is read, then there is none', () => {
    expect(pixelModuleOf({ ...dataset, '00280006': us(1) }).planarConfiguration).toBe(0);
  });
  it.each([['00280010', undefined], ['00280010', us(0)], ['00280010', us('512')], ['00280011', us(1e9)], ['00280100', us(12)], ['00280101', us(17)], ['00280102', us(10)]])(
    'B5: given (%s) of %j, when it is read, then it is refused', (tag, element) => {
      expect(() => pixelModuleOf({ ...dataset, [tag]: element } as never)).toThrow(InvalidInputError);
    },
  );
});

describe('nativeFrameBytes', () => {
  it.each([
    ['12 of 16 bits', grey(16, 12, 0, { rows: 10, columns: 3 }), 60], ['single bits', { ...grey(8, 1, 0, { rows: 3, columns: 3 }), bitsAllocated: 1 }, 2], ['RGB', colour(8, 0), 41 * 55 * 3],
    ['shared colour', colour(8, 0, 'YBR_FULL_422'), 41 * 55 * 2],
  ])('given %s, when bytes are counted, then as PS3.5 §8.1.1 lays them', (_name, module, bytes) => {
    expect(nativeFrameBytes(module)).toBe(bytes);
  });
});
