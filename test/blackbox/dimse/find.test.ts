// C-FIND of the running archive, on the port that also receives, with findscu and pynetdicom as askers.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { DicomRequestor } from '@perennia/dicom-net';
import { dcmtkTool, hasBackend, Product } from '@perennia/testing';
import { countOf, until } from './archive-tools.js';

const run = promisify(execFile);
const env = { ...process.env, TCP_NODELAY: '1' };
const EXPLICIT = '1.2.840.10008.1.2.1';
const CT_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.2';
const directory = mkdtempSync(join(tmpdir(), 'perennia-find-'));
const script = resolve(import.meta.dirname, '../../interop/pynetdicom_find.py');
const root = `1.2.826.0.1.3680043.10.7.${Date.now()}`;
let product: Product;

interface Row {
  patient: string;
  name: string;
  characterSet?: string;
  study: number;
  date: string;
  time?: string;
  modality?: string;
  instances?: number;
}
const ROWS: readonly Row[] = [
  { patient: 'F1', name: 'Müller^Jürgen', characterSet: 'ISO_IR 100', study: 1, date: '20200115', time: '083000', instances: 3 },
  { patient: 'F1', name: 'Müller^Jürgen', characterSet: 'ISO_IR 100', study: 2, date: '20200220', time: '233000', modality: 'MR' },
  { patient: 'F2', name: 'Yamada^Tarou=山田^太郎=やまだ^たろう', characterSet: 'ISO_IR 192', study: 3, date: '20200221', time: '013000' },
  { patient: 'F3', name: 'UNDER_SCORE^100%', study: 4, date: '20210301' },
];
/** More than the limit. */
const MANY = 300;

beforeAll(async () => {
  const config = join(directory, 'vna.yaml');
  writeFileSync(config, 'sources:\n  profiles:\n    - {name: narrow, callingAets: [NARROW], addresses: [127.0.0.1], mayRead: true, maxMatches: 2, unknownSopClasses: refuse}\n    - {name: sender, callingAets: [SENDER], addresses: [127.0.0.1]}\n    - {name: others, addresses: [127.0.0.1], mayRead: true}\n');
  product = await Product.start({ dataDirectory: join(directory, 'data'), environment: { VNA_LOG_LEVEL: 'warn', VNA_RETRIEVE_MAX_MATCHES: '250', VNA_CONFIG: config } });
  const association = await DicomRequestor.connect({
    host: '127.0.0.1', port: product.dicomPort, callingAet: 'FIND-TEST', calledAet: 'PERENNIA', contexts: [{ abstractSyntax: CT_IMAGE_STORAGE, transferSyntaxes: [EXPLICIT] }],
  });
  const many = Array.from({ length: MANY }, (_, index): Row => ({ patient: `M${index}`, name: `MANY^${index}`, study: 1000 + index, date: '20190101' }));
  for (const row of [...ROWS, ...many]) {
    for (let instance = 1; instance <= (row.instances ?? 1); instance++) {
      const { status } = await association.store({ sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid: `${root}.${row.study}.1.${instance}`, transferSyntaxUid: EXPLICIT, dataset: objectOf(row, instance) });
      expect(status).toBe(0);
    }
  }
  await association.release();
  await until(async () => (await countOf(product, `/studies?StudyDate=20190101&limit=1000`)) === MANY && (await countOf(product, `/instances?StudyInstanceUID=${root}.1`)) === 3);
  await until(async () => (await countOf(product, `/studies?PatientID=F3`)) === 1);
}, 120_000);
afterAll(async () => {
  await product?.stop();
  rmSync(directory, { recursive: true, force: true });
});

function objectOf({ patient, name, characterSet, study, date, time, modality }: Row, instance: number): Buffer {
  const dataset = new Dataset()
    .set('SOPClassUID', CT_IMAGE_STORAGE).set('SOPInstanceUID', `${root}.${study}.1.${instance}`).set('StudyInstanceUID', `${root}.${study}`).set('SeriesInstanceUID', `${root}.${study}.1`)
    .set('StudyDate', date).set('StudyTime', time ?? '').set('Modality', modality ?? 'CT').set('PatientName', name).set('PatientID', patient).set('PatientSex', 'O')
    .set('AccessionNumber', `A${study}`).set('InstanceNumber', instance).set('SeriesNumber', 1)
    .set('RequestAttributesSequence', [new Dataset().set('ScheduledProcedureStepID', `SPS${study}`).set('RequestedProcedureID', `RP${study}`)]);
  if (characterSet) dataset.set('SpecificCharacterSet', characterSet);
  return writeDataset(dataset, EXPLICIT);
}


type Json = Record<string, { vr: string; Value?: unknown[] }>;
interface Answer {
  status: string;
  comment?: string;
  identifier: Json | null;
}
const VRS: Readonly<Record<string, string>> = { '00080005': 'CS', '00080018': 'UI', '00080020': 'DA', '00080030': 'TM', '00080050': 'SH', '00080052': 'CS', '00080060': 'CS', '00080061': 'CS', '00100010': 'PN', '00100020': 'LO', '0020000D': 'UI', '0020000E': 'UI', '00200013': 'IS', '00201200': 'IS', '00201206': 'IS', '00201208': 'IS', '00201209': 'IS', '00104000': 'LT' };

async function find(model: string, keys: Record<string, string>, options: object = {}): Promise<Answer[]> {
  const identifier = Object.fromEntries(Object.entries(keys).map(([tag, value]): [string, Json[string]] => {
    const vr = VRS[tag]!;
    const values = value === '' ? undefined : vr === 'PN' ? [{ Alphabetic: value }] : value.split('\\');
    return [tag, values ? { vr, Value: values } : { vr }];
  }));
  const { stdout } = await run('python3', [script, '127.0.0.1', String(product.dicomPort), JSON.stringify({ model, identifier, ...options })], { maxBuffer: 64 << 20 });
  return JSON.parse(stdout) as Answer[];
}
const matches = (answers: readonly Answer[], tag: string): unknown[] => answers.filter(({ status }) => status.startsWith('FF')).map(({ identifier }) => identifier?.[tag]?.Value?.[0]).toSorted();
const final = (answers: readonly Answer[]): string => answers.at(-1)!.status;

(hasBackend('python') ? describe : describe.skip)('pynetdicom asks', () => {
  it('D04 Study Root at each level: matches, then one 0000; only the keys asked for, and what every answer says of itself', async () => {
    const studies = await find('study', { '00080052': 'STUDY', '00100020': 'F1', '0020000D': '', '00201208': '', '00080061': '' });
    expect(final(studies)).toBe('0000');
    expect(matches(studies, '0020000D')).toEqual([`${root}.1`, `${root}.2`]);
    expect(Object.keys(studies[0]!.identifier!)).toEqual(['00080052', '00080054', '00080056', '00080061', '00100020', '0020000D', '00201208'].toSorted());
    expect(studies[0]).toMatchObject({ status: 'FF00', identifier: { '00080054': { Value: ['PERENNIA'] }, '00080056': { Value: ['ONLINE'] } } });
    const series = await find('study', { '00080052': 'SERIES', '0020000D': `${root}.1`, '0020000E': '', '00201209': '', '00201208': '' });
    expect(series[0]!.identifier).toMatchObject({ '0020000E': { Value: [`${root}.1.1`] }, '00201209': { Value: [3] }, '00201208': { Value: [3] } });
    const images = await find('study', { '00080052': 'IMAGE', '0020000D': `${root}.1`, '0020000E': `${root}.1.1`, '00080018': '', '00200013': '' });
    expect(matches(images, '00080018')).toEqual([1, 2, 3].map((each) => `${root}.1.1.${each}`));
  });
  it('D04 Patient Root, and Patient/Study Only, which is retired and still asked for', async () => {
    const patients = await find('patient', { '00080052': 'PATIENT', '00100020': 'F*', '00100010': '', '00201200': '' });
    expect(matches(patients, '00100020')).toEqual(['F1', 'F2', 'F3']);
    expect(patients.find(({ identifier }) => identifier?.['00100020']?.Value?.[0] === 'F1')!.identifier!['00201200']!.Value).toEqual([2]);
    expect(matches(await find('patientstudy', { '00080052': 'STUDY', '00100020': 'F2', '0020000D': '' }), '0020000D')).toEqual([`${root}.3`]);
    expect(final(await find('patientstudy', { '00080052': 'SERIES', '00100020': 'F2', '0020000D': `${root}.3` }))).toBe('A900');
  });
  it('D04 no match is just 0000; an unknown key is empty with FF01; a wrong level A900 with the reason', async () => {
    expect(await find('study', { '00080052': 'STUDY', '00100020': 'NOBODY', '0020000D': '' })).toMatchObject([{ status: '0000', identifier: null }]);
    const [first] = await find('study', { '00080052': 'STUDY', '00100020': 'F2', '00104000': '' });
    expect(first).toMatchObject({ status: 'FF01', identifier: { '00104000': { vr: 'LT' } } });
    expect((await find('study', { '00080052': 'WARD' })).at(-1)).toMatchObject({ status: 'A900', comment: 'Query/Retrieve Level must be one of STUDY, SERIES, IMAGE' });
  });
  it('every kind of matching: single, list of UID, universal, wildcard with _ and % as themselves, ranges open at either end', async () => {
    const study = async (keys: Record<string, string>): Promise<unknown[]> => matches(await find('study', { '00080052': 'STUDY', '0020000D': '', ...keys }), '0020000D');
    expect(await study({ '0020000D': `${root}.1\\${root}.4` })).toEqual([`${root}.1`, `${root}.4`]);
    expect(await study({ '00100010': 'UNDER_*' })).toEqual([`${root}.4`]);
    expect(await study({ '00100010': 'UNDERX*' })).toEqual([]);
    expect(await study({ '00100010': '*100%' })).toEqual([`${root}.4`]);
    expect(await study({ '00080050': 'A?', '00100020': 'F*' })).toEqual([`${root}.1`, `${root}.2`, `${root}.3`, `${root}.4`]);
    expect(await study({ '00080020': '20200221-' })).toEqual([`${root}.3`, `${root}.4`]);
    expect(await study({ '00080020': '-20200115', '00100020': 'F*' })).toEqual([`${root}.1`]);
    // Modalities in Study matches any series.
    expect(await study({ '00080061': 'MR' })).toEqual([`${root}.2`]);
    // Over midnight: the time by itself, and with the date where that was negotiated.
    expect(await study({ '00080030': '2300-0200', '00100020': 'F*' })).toEqual([`${root}.2`, `${root}.3`]);
    const combined = await find('study', { '00080052': 'STUDY', '0020000D': '', '00080020': '20200220-20200221', '00080030': '2200-0200' }, { extended: [0, 1] });
    expect(matches(combined, '0020000D')).toEqual([`${root}.2`, `${root}.3`]);
  });
  it('D05 relational queries where they are negotiated; else a key of a level above that is missing is A900', async () => {
    const keys = { '00080052': 'SERIES', '00080060': 'MR', '0020000E': '' };
    expect(matches(await find('study', keys, { extended: [1] }), '0020000E')).toEqual([`${root}.2.1`]);
    expect((await find('study', keys)).at(-1)).toMatchObject({ status: 'A900', comment: 'SERIES level needs one StudyInstanceUID, or relational queries' });
  });
  it('D06 more matches than the limit: A700 before the first, instead of a part of them', async () => {
    const answers = await find('study', { '00080052': 'STUDY', '00080020': '20190101', '0020000D': '' });
    expect(answers).toMatchObject([{ status: 'A700', comment: 'More than 250 matches; narrow the query', identifier: null }]);
    // One page of answers is already more than this source may have.
    const narrow = await find('study', { '00080052': 'STUDY', '00080020': '20190101', '0020000D': '' }, { aet: 'NARROW' });
    expect(narrow).toMatchObject([{ status: 'A700', comment: 'More than 2 matches; narrow the query' }]);
    expect(matches(await find('study', { '00080052': 'STUDY', '00100020': 'F1', '0020000D': '' }, { aet: 'NARROW' }), '0020000D')).toHaveLength(2);
  });
  it('answers in the character set of the asker where that has the characters, else in UTF-8', async () => {
    const name = async (patient: string, characterSet: string): Promise<unknown> => {
      const [answer] = await find('study', { '00080052': 'STUDY', '00100020': patient, '00100010': '', '00080005': characterSet });
      return [answer!.identifier!['00080005']!.Value?.[0], answer!.identifier!['00100010']!.Value?.[0]];
    };
    expect(await name('F1', 'ISO_IR 100')).toEqual(['ISO_IR 100', { Alphabetic: 'Müller^Jürgen' }]);
    expect(await name('F2', 'ISO_IR 100')).toEqual(['ISO_IR 192', { Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' }]);
  });
});

(hasBackend('dcmtk') ? describe : describe.skip)('dcmtk asks', () => {
  it('D04 findscu, in implicit and explicit syntax, in either root', async () => {
    for (const syntax of ['-xe', '-xi', '-xb']) {
      const { stderr, stdout } = await run(dcmtkTool('findscu')!, ['-S', syntax, '-aec', 'PERENNIA', '-k', 'QueryRetrieveLevel=STUDY', '-k', 'PatientID=F2', '-k', 'StudyInstanceUID', '127.0.0.1', String(product.dicomPort)], { env });
      expect(`${stdout}${stderr}`).toContain(`${root}.3`);
    }
    const { stderr, stdout } = await run(dcmtkTool('findscu')!, ['-P', '-aec', 'PERENNIA', '-k', 'QueryRetrieveLevel=PATIENT', '-k', 'PatientID=F*', '127.0.0.1', String(product.dicomPort)], { env });
    expect((`${stdout}${stderr}`.match(/\[F\d ?\]/g) ?? []).length).toBeGreaterThanOrEqual(3);
  });
  it('looks for what was stored on the association that stores', async () => {
    const association = await DicomRequestor.connect({
      host: '127.0.0.1', port: product.dicomPort, callingAet: 'BOTH', calledAet: 'PERENNIA',
      contexts: [{ abstractSyntax: CT_IMAGE_STORAGE, transferSyntaxes: [EXPLICIT] }, { abstractSyntax: '1.2.840.10008.5.1.4.1.2.2.1', transferSyntaxes: [EXPLICIT] }],
    });
    const row: Row = { patient: 'F9', name: 'BOTH^ONE', study: 9, date: '20220101' };
    expect(await association.store({ sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid: `${root}.9.1.1`, transferSyntaxUid: EXPLICIT, dataset: objectOf(row, 1) })).toEqual({ status: 0 });
    const identifier = writeDataset(new Dataset().set('QueryRetrieveLevel', 'STUDY').set('PatientID', 'F9').set('StudyInstanceUID', ''), EXPLICIT);
    await until(async () => {
      let found = 0;
      for await (const _ of association.find({ sopClassUid: '1.2.840.10008.5.1.4.1.2.2.1', transferSyntaxUid: EXPLICIT, identifier })) found += 1;
      return found === 1;
    });
    await association.release();
  });
});

describe('associations that ask, many at once', () => {
  it('are all handed over and answered', async () => {
    const ask = async (number: number): Promise<number> => {
      const association = await DicomRequestor.connect({
        host: '127.0.0.1', port: product.dicomPort, callingAet: `ASKER-${number % 8}`, calledAet: 'PERENNIA', contexts: [{ abstractSyntax: '1.2.840.10008.5.1.4.1.2.2.1', transferSyntaxes: [EXPLICIT] }],
      });
      const identifier = writeDataset(new Dataset().set('QueryRetrieveLevel', 'STUDY').set('PatientID', 'F2').set('StudyInstanceUID', ''), EXPLICIT);
      let found = 0;
      for await (const _ of association.find({ sopClassUid: '1.2.840.10008.5.1.4.1.2.2.1', transferSyntaxUid: EXPLICIT, identifier })) found += 1;
      await association.release();
      return found;
    };
    for (let round = 0; round < 5; round++) expect(await Promise.all(Array.from({ length: 24 }, (_, number) => ask(number)))).toEqual(Array.from({ length: 24 }, () => 1));
  });
});

describe('a source that is listed as one that sends', () => {
  it('may store, and neither search nor retrieve unless that is said', async () => {
    const asked = [CT_IMAGE_STORAGE, '1.2.840.10008.5.1.4.1.2.2.1', '1.2.840.10008.5.1.4.1.2.2.2', '1.2.840.10008.5.1.4.1.2.2.3'];
    const acceptedOf = async (callingAet: string, more: string[] = []): Promise<string[]> => {
      const association = await DicomRequestor.connect({
        host: '127.0.0.1', port: product.dicomPort, callingAet, calledAet: 'PERENNIA', contexts: [...asked, ...more].map((abstractSyntax) => ({ abstractSyntax, transferSyntaxes: [EXPLICIT] })),
      });
      await association.release();
      return association.acceptedContexts.map(({ abstractSyntax }) => abstractSyntax);
    };
    expect(await acceptedOf('READER')).toEqual(asked);
    expect(await acceptedOf('SENDER')).toEqual([CT_IMAGE_STORAGE]);
    // Who may ask for commitment is served by the same process as queries.
    const COMMITMENT = '1.2.840.10008.1.20.1';
    expect(await acceptedOf('SENDER', [COMMITMENT])).toEqual([CT_IMAGE_STORAGE, COMMITMENT]);
  });
});

describe('D20 private storage classes', () => {
  const PRIVATE = '1.2.826.0.1.3680043.10.999.1';
  const accepted = async (callingAet: string): Promise<number> => {
    const contexts = [CT_IMAGE_STORAGE, PRIVATE].map((abstractSyntax) => ({ abstractSyntax, transferSyntaxes: [EXPLICIT] }));
    const association = await DicomRequestor.connect({ host: '127.0.0.1', port: product.dicomPort, callingAet, calledAet: 'PERENNIA', contexts });
    const contextsTaken = association.acceptedContexts.length;
    await association.release();
    return contextsTaken;
  };
  it('are taken, or refused where the source says so', async () => {
    expect(await accepted('ANYBODY')).toBe(2);
    expect(await accepted('NARROW')).toBe(1);
  });
});
