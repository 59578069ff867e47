import { describe, expect, it } from '@jest/globals';
import { Dataset, DicomParseError, writeDataset } from '@perennia/dicom-data';
import { canRewrite, DatasetRewriter } from './dataset-rewriter.js';

const IMPLICIT = '1.2.840.10008.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';
const BIG_ENDIAN = '1.2.840.10008.1.2.2';

function rewrite(dataset: Buffer, from: string, to: string, chunkBytes = dataset.length): Buffer {
  const rewriter = new DatasetRewriter(from, to);
  const pieces: Buffer[] = [];
  for (let at = 0; at < dataset.length; at += chunkBytes) pieces.push(rewriter.push(dataset.subarray(at, at + chunkBytes)));
  rewriter.end();
  return Buffer.concat(pieces);
}

const item = (): Dataset => new Dataset().set('CodeValue', 'X').set('ReferencedSOPSequence', [new Dataset().set('ReferencedSOPInstanceUID', '1.2.3')]);
const dataset = (): Dataset =>
  new Dataset().set('SpecificCharacterSet', 'ISO_IR 192').set('PatientName', 'Müller').set('Rows', 2).set('Columns', 3).set('PixelRepresentation', 1)
    .set('SmallestImagePixelValue', 0xffff, 'SS').set('FrameIncrementPointer', 0x00181063).set('PixelSpacing', '0.5\\0.5').set('ProcedureCodeSequence', [item(), new Dataset()])
    .set('DoubleFloatPixelPaddingValue', 1.5, 'FD').set('PixelData', Buffer.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), 'OW');

describe('a dataset in another uncompressed syntax', () => {
  it.each([[IMPLICIT, EXPLICIT], [EXPLICIT, IMPLICIT], [EXPLICIT, EXPLICIT], [BIG_ENDIAN, EXPLICIT], [BIG_ENDIAN, IMPLICIT]])('D21 from %s to %s is what is written so', (from, to) => {
    const source = dataset();
    if (from === BIG_ENDIAN) source.set('PixelData', Buffer.from([2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11]), 'OW');
    const expected = writeDataset(dataset(), to);
    for (const chunkBytes of [1, 7, 64, 100_000]) expect(rewrite(writeDataset(source, from), from, to, chunkBytes)).toEqual(expected);
  });
  it('writes sequences and items of known length with undefined ones, and leaves group lengths out', () => {
    // (0008,0000) UL 4; (0008,1032) SQ of one item of known length.
    const known = Buffer.from('08000000040000000c0000000800321010000000feff00e0080000000800000100000000', 'hex');
    expect(rewrite(known, IMPLICIT, EXPLICIT).toString('hex')).toBe('0800321053510000fffffffffeff00e0ffffffff0800000153480000feff0de000000000feffdde000000000');
  });
  it('writes a value that is too long for its VR as UN', () => {
    const long = new Dataset().set('ContourData', '1\\'.repeat(40_000));
    const rewritten = rewrite(writeDataset(long, IMPLICIT), IMPLICIT, EXPLICIT);
    expect(rewritten.toString('latin1', 4, 6)).toBe('UN');
    expect(rewritten.readUInt32LE(8)).toBe(80_000);
  });
  it('writes other values for elements at its top, and leaves those of items alone', () => {
    const source = new Dataset().set('Rows', 2).set('ProcedureCodeSequence', [new Dataset().set('Rows', 3)]);
    const rewriter = new DatasetRewriter(EXPLICIT, IMPLICIT, new Map([[0x00280010, Buffer.from([7, 0])]]));
    expect(rewriter.push(writeDataset(source, EXPLICIT))).toEqual(writeDataset(source.set('Rows', 7), IMPLICIT));
  });
  it('gives values of odd length their byte', () => {
    const odd = Buffer.from('100010004c4f03004142431000200055490300312e32', 'hex');
    expect(rewrite(odd, EXPLICIT, IMPLICIT).toString('hex')).toBe('1000100004000000414243201000200004000000312e3200');
  });
  it('says what it cannot do', () => {
    expect(canRewrite('1.2.840.10008.1.2.4.90', EXPLICIT)).toBe(false);
    expect(canRewrite(EXPLICIT, BIG_ENDIAN)).toBe(false);
    expect(canRewrite('1.2.840.10008.1.2.4.94', EXPLICIT)).toBe(false);
    expect(() => new DatasetRewriter('1.2.840.10008.1.2.4.90', EXPLICIT)).toThrow(RangeError);
    expect(() => rewrite(writeDataset(dataset(), EXPLICIT).subarray(0, 40), EXPLICIT, IMPLICIT)).toThrow(DicomParseError);
  });
});
