import { describe, expect, it } from '@jest/globals';
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { decodeFailedSopInstances, encodeFailedSopInstances } from './failed-sop-instances.js';

describe('Failed SOP Instance UID List', () => {
  it.each(['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2', '1.2.840.10008.1.2.1.99'])('given transfer syntax %s, then it comes back', (syntax) => {
    for (const uids of [['1.2.3'], ['1.2.3', '1.2.44'], Array.from({ length: 1000 }, (_, n) => `1.2.${n}`)]) {
      expect(decodeFailedSopInstances(encodeFailedSopInstances(uids, syntax), syntax)).toEqual(uids);
    }
  });

  it('given other elements around it, then it is found', () => {
    const dataset = new Dataset().set('SpecificCharacterSet', 'ISO_IR 100').set('FailedSOPInstanceUIDList', ['1.2']).set('PixelData', Buffer.alloc(10), 'OB');
    for (const syntax of ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1']) expect(decodeFailedSopInstances(writeDataset(dataset, syntax), syntax)).toEqual(['1.2']);
  });

  it('given nothing, an empty list, or bytes that are no dataset, then none', () => {
    const explicit = '1.2.840.10008.1.2.1';
    for (const bytes of [Buffer.alloc(0), encodeFailedSopInstances([], explicit), Buffer.alloc(9, 0xff), Buffer.from('OW is not it')]) {
      expect(decodeFailedSopInstances(bytes, explicit)).toEqual([]);
      expect(decodeFailedSopInstances(bytes, '1.2.840.10008.1.2.1.99')).toEqual([]);
    }
  });
});
