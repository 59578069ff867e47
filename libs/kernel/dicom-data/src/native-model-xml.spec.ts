import { describe, expect, it } from '@jest/globals';
import { nativeModelXml } from './native-model-xml.js';

const inside = (xml: string): string => /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<NativeDicomModel xmlns="http:\/\/dicom\.nema\.org\/PS3\.19\/models\/NativeDICOM" xml:space="preserve">(.*)<\/NativeDicomModel>$/s.exec(xml)![1]!;

describe('nativeModelXml', () => {
  it.each<[string, Parameters<typeof nativeModelXml>[0], string]>([
    ['values in their order', { '00080008': { vr: 'CS', Value: ['ORIGINAL', 'PRIMARY'] } }, '<DicomAttribute tag="00080008" vr="CS" keyword="ImageType"><Value number="1">ORIGINAL</Value><Value number="2">PRIMARY</Value></DicomAttribute>'],
    ['numbers', { '00280010': { vr: 'US', Value: [512] } }, '<DicomAttribute tag="00280010" vr="US" keyword="Rows"><Value number="1">512</Value></DicomAttribute>'],
    ['no value', { '00100020': { vr: 'LO' } }, '<DicomAttribute tag="00100020" vr="LO" keyword="PatientID"/>'],
    ['an empty value among others', { '00080008': { vr: 'CS', Value: ['A', null, 'C'] } }, '<DicomAttribute tag="00080008" vr="CS" keyword="ImageType"><Value number="1">A</Value><Value number="3">C</Value></DicomAttribute>'],
    [
      'names by group and component',
      { '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Yamada^Tarou^^Dr', Ideographic: '山田^太郎' }] } },
      '<DicomAttribute tag="00100010" vr="PN" keyword="PatientName"><PersonName number="1"><Alphabetic><FamilyName>Yamada</FamilyName><GivenName>Tarou</GivenName><NamePrefix>Dr</NamePrefix></Alphabetic>' +
        '<Ideographic><FamilyName>山田</FamilyName><GivenName>太郎</GivenName></Ideographic></PersonName></DicomAttribute>',
    ],
    [
      'items, also empty ones',
      { '00081032': { vr: 'SQ', Value: [{ '00080100': { vr: 'SH', Value: ['X'] } }, {}] } },
      '<DicomAttribute tag="00081032" vr="SQ" keyword="ProcedureCodeSequence"><Item number="1"><DicomAttribute tag="00080100" vr="SH" keyword="CodeValue"><Value number="1">X</Value></DicomAttribute></Item><Item number="2"></Item></DicomAttribute>',
    ],
    ['bulk data', { '7FE00010': { vr: 'OW', BulkDataURI: 'http://a/b?c=1&d' } }, '<DicomAttribute tag="7FE00010" vr="OW" keyword="PixelData"><BulkData uri="http://a/b?c=1&amp;d"/></DicomAttribute>'],
    ['bytes', { '00420011': { vr: 'OB', InlineBinary: 'AQI=' } }, '<DicomAttribute tag="00420011" vr="OB" keyword="EncapsulatedDocument"><InlineBinary>AQI=</InlineBinary></DicomAttribute>'],
    [
      'private attributes with their creator',
      { '00091001': { vr: 'LO', Value: ['x'] }, '00090010': { vr: 'LO', Value: ['ACME "1"'] } },
      '<DicomAttribute tag="00090010" vr="LO"><Value number="1">ACME &quot;1&quot;</Value></DicomAttribute><DicomAttribute tag="00091001" vr="LO" privateCreator="ACME &quot;1&quot;"><Value number="1">x</Value></DicomAttribute>',
    ],
    ['text that is no XML', { '00104000': { vr: 'LT', Value: ['a<b>&\r\n\u001b\ud800'] } }, '<DicomAttribute tag="00104000" vr="LT" keyword="PatientComments"><Value number="1">a&lt;b&gt;&amp;&#13;\n\ufffd\ufffd</Value></DicomAttribute>'],
  ])('W07 writes %s', (_, dataset, expected) => expect(inside(nativeModelXml(dataset))).toBe(expected));

  it('W07 writes attributes in the order of their tags', () => {
    expect([...nativeModelXml({ '60003000': { vr: 'OW' }, '00080005': { vr: 'CS' }, '00280010': { vr: 'US' } }).matchAll(/tag="(\w+)"/g)].map(([, tag]) => tag)).toEqual(['00080005', '00280010', '60003000']);
  });
});
