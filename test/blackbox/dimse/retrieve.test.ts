// C-MOVE and C-GET of the running archive, on the port that also receives, with dcmtk and pynetdicom as askers and destinations.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { DicomRequestor } from '@perennia/dicom-net';
import { DatasetRewriter, part10Prefix } from '@perennia/dicom-stream';
import { dcmtkTool, freePort, hasBackend, Product, syntheticObject, type SyntheticObject } from '@perennia/testing';
import { countOf, until, vna } from './archive-tools.js';

const run = promisify(execFile);
const env = { ...process.env, TCP_NODELAY: '1' };
const repository = resolve(import.meta.dirname, '../../..');
const script = join(repository, 'test/interop/pynetdicom_retrieve.py');
const directory = mkdtempSync(join(tmpdir(), 'perennia-retrieve-'));
const root = `1.2.826.0.1.3680043.10.8.${Date.now()}`;
const EXPLICIT = '1.2.840.10008.1.2.1';
const IMPLICIT = '1.2.840.10008.1.2';
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const COUNT = 12;
let product: Product;
let port: number;
let objects: SyntheticObject[];
let other: SyntheticObject;

beforeAll(async () => {
  product = await Product.start({ dataDirectory: join(directory, 'data'), environment: { VNA_LOG_LEVEL: 'warn', VNA_LIFECYCLE_SETTLE: '2s' } });
  port = await freePort();
  objects = Array.from({ length: COUNT }, (_, index) => syntheticObject({ root, study: 1, series: 1 + (index % 2), instance: index + 1, pixelBytes: index === 0 ? 3_000_000 : 20_000 + index * 100 }));
  other = secondaryCapture();
  const association = await DicomRequestor.connect({
    host: '127.0.0.1', port: product.dicomPort, callingAet: 'RETRIEVE-TEST', calledAet: 'PERENNIA',
    contexts: [objects[0]!.sopClassUid, SECONDARY_CAPTURE].map((abstractSyntax) => ({ abstractSyntax, transferSyntaxes: [EXPLICIT] })),
  });
  for (const object of [...objects, other]) expect((await association.store(object)).status).toBe(0);
  await association.release();
  await until(async () => (await countOf(product, `/instances?StudyInstanceUID=${objects[0]!.studyInstanceUid}`)) === COUNT && (await countOf(product, `/instances?StudyInstanceUID=${other.studyInstanceUid}`)) === 1);
  await vna(product, 'node', 'add', 'DEST', '--host', '127.0.0.1', '--port', String(port));
  await vna(product, 'node', 'add', 'NOBODY', '--host', '127.0.0.1', '--port', String(await freePort()));
  await vna(product, 'node', 'add', 'GUARDED', '--host', '127.0.0.1', '--port', String(port), '--move-callers', 'FRIEND');
}, 120_000);
afterAll(async () => {
  await product?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Of the same patient and study as nothing else: another SOP class. */
function secondaryCapture(): SyntheticObject {
  const [studyInstanceUid, seriesInstanceUid, sopInstanceUid] = [`${root}.2`, `${root}.2.1`, `${root}.2.1.1`];
  const dataset = writeDataset(
    new Dataset().set('SOPClassUID', SECONDARY_CAPTURE).set('SOPInstanceUID', sopInstanceUid).set('StudyInstanceUID', studyInstanceUid).set('SeriesInstanceUID', seriesInstanceUid)
      .set('PatientID', 'OTHER').set('PatientName', 'OTHER^ONE').set('Modality', 'OT').set('Rows', 1).set('Columns', 2).set('BitsAllocated', 8).set('PixelData', Uint8Array.of(1, 2), 'OB'),
    EXPLICIT,
  );
  return { sopClassUid: SECONDARY_CAPTURE, sopInstanceUid, seriesInstanceUid, studyInstanceUid, transferSyntaxUid: EXPLICIT, dataset, sha256: digest(dataset) };
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');


interface Status {
  status: string;
  remaining: number | null;
  completed: number | null;
  failed: number | null;
  warning: number | null;
  failedUids: string[];
  comment: string;
}
interface Retrieved {
  statuses: Status[];
  received: { uid: string; sha256: string; syntax: string; originator: string; message: number | null; pixels?: string }[];
}
const VRS: Readonly<Record<string, string>> = { '00080018': 'UI', '00080052': 'CS', '00100020': 'LO', '0020000D': 'UI', '0020000E': 'UI' };

async function retrieve(operation: 'move' | 'get', keys: Record<string, string>, options: object = {}): Promise<Retrieved> {
  const identifier = Object.fromEntries(Object.entries(keys).map(([tag, value]) => [tag, { vr: VRS[tag], Value: value.split('\\') }]));
  const request = { operation, model: 'study', identifier, destination: 'DEST', listenPort: port, classes: [objects[0]!.sopClassUid, SECONDARY_CAPTURE], ...options };
  const { stdout } = await run('python3', [script, '127.0.0.1', String(product.dicomPort), JSON.stringify(request)], { maxBuffer: 64 << 20 });
  return JSON.parse(stdout) as Retrieved;
}
const digests = (list: readonly { sha256: string }[]): string[] => list.map(({ sha256 }) => sha256).toSorted();
const study = (): Record<string, string> => ({ '00080052': 'STUDY', '0020000D': objects[0]!.studyInstanceUid });

(hasBackend('python') ? describe : describe.skip)('pynetdicom', () => {
  it.each(['move', 'get'] as const)('D07 D10 C-%s of patient, study, series and instances: every dataset byte for byte, counts that add up', async (operation) => {
    const all = await retrieve(operation, study());
    expect(digests(all.received)).toEqual(digests(objects));
    const final = all.statuses.at(-1)!;
    expect(final).toMatchObject({ status: '0000', completed: COUNT, failed: 0, warning: 0, failedUids: [] });
    expect(final.remaining ?? null).toBeNull();
    for (const each of all.statuses.slice(0, -1)) expect(each.remaining! + each.completed! + each.failed! + each.warning!).toBe(COUNT);
    const series = await retrieve(operation, { '00080052': 'SERIES', '0020000D': objects[0]!.studyInstanceUid, '0020000E': objects[0]!.seriesInstanceUid });
    expect(digests(series.received)).toEqual(digests(objects.filter(({ seriesInstanceUid }) => seriesInstanceUid === objects[0]!.seriesInstanceUid)));
    const [first, second] = [objects[1]!, objects[3]!];
    const images = await retrieve(operation, { '00080052': 'IMAGE', '0020000D': first.studyInstanceUid, '0020000E': first.seriesInstanceUid, '00080018': `${first.sopInstanceUid}\\${second.sopInstanceUid}` });
    expect(digests(images.received)).toEqual(digests([first, second]));
    const patient = await retrieve(operation, { '00080052': 'PATIENT', '00100020': 'OTHER' }, { model: 'patient' });
    expect(digests(patient.received)).toEqual([other.sha256]);
    const several = await retrieve(operation, { '00080052': 'STUDY', '0020000D': `${objects[0]!.studyInstanceUid}\\${other.studyInstanceUid}` });
    expect(digests(several.received)).toEqual(digests([...objects, other]));
    expect((await retrieve(operation, { '00080052': 'STUDY', '0020000D': '1.2.3.4.5' })).statuses.at(-1)).toMatchObject({ status: '0000', completed: 0 });
    expect((await retrieve(operation, { '00080052': 'STUDY', '00100020': 'OTHER' })).statuses.at(-1)).toMatchObject({ status: 'A900', comment: 'STUDY level needs StudyInstanceUID' });
  });
  it('D07 C-MOVE tells the destination who asked, and by which message', async () => {
    const { received } = await retrieve('move', study(), { aet: 'ASKER' });
    expect(new Set(received.map(({ originator, message }) => `${originator} ${message}`))).toEqual(new Set(['ASKER 9']));
  });
  it('D08 partly failed: B000 with the failed UIDs; wholly: A702; an unknown destination: A801', async () => {
    const refused = [objects[2]!, objects[5]!].map(({ sopInstanceUid }) => sopInstanceUid).toSorted();
    for (const operation of ['move', 'get'] as const) {
      const partly = await retrieve(operation, study(), { refuse: { [refused[0]!]: 0xa700, [refused[1]!]: 0xc000 } });
      expect(partly.statuses.at(-1)).toMatchObject({ status: 'B000', completed: COUNT - 2, failed: 2, failedUids: refused });
      const wholly = await retrieve(operation, { '00080052': 'STUDY', '0020000D': other.studyInstanceUid }, { refuse: { [other.sopInstanceUid]: 0xa700 } });
      expect(wholly.statuses.at(-1)).toMatchObject({ status: 'A702', completed: 0, failed: 1, failedUids: [other.sopInstanceUid] });
    }
    expect((await retrieve('move', study(), { destination: 'STRANGER', listenPort: null })).statuses).toMatchObject([{ status: 'A801', comment: 'The move destination is no remote node of this archive' }]);
  });
  it('D08 a destination that nobody listens at: A702, with every UID', async () => {
    const { statuses } = await retrieve('move', { '00080052': 'STUDY', '0020000D': other.studyInstanceUid }, { destination: 'NOBODY', listenPort: null });
    expect(statuses.at(-1)).toMatchObject({ status: 'A702', failed: 1, failedUids: [other.sopInstanceUid] });
  }, 30_000);
  it('D09 a destination is named by those only who may', async () => {
    expect((await retrieve('move', study(), { destination: 'GUARDED', aet: 'STRANGER' })).statuses).toMatchObject([{ status: '0124' }]);
    expect((await retrieve('move', study(), { destination: 'GUARDED', aet: 'FRIEND' })).statuses.at(-1)).toMatchObject({ status: '0000', completed: COUNT });
  });
  it('a SOP class that the peer does not take costs its objects only', async () => {
    for (const operation of ['move', 'get'] as const) {
      const { statuses, received } = await retrieve(operation, { '00080052': 'STUDY', '0020000D': `${objects[0]!.studyInstanceUid}\\${other.studyInstanceUid}` }, { classes: [objects[0]!.sopClassUid] });
      expect(digests(received)).toEqual(digests(objects));
      expect(statuses.at(-1)).toMatchObject({ status: 'B000', completed: COUNT, failed: 1, failedUids: [other.sopInstanceUid] });
    }
  });
  it('a destination that aborts in the middle gets the rest over another association', async () => {
    const { statuses, received } = await retrieve('move', study(), { abortAt: 4 });
    expect(statuses.at(-1)).toMatchObject({ status: '0000', completed: COUNT });
    expect(new Set(received.map(({ uid }) => uid)).size).toBe(COUNT);
  });
  it('D21 a peer that takes implicit VR only gets the same datasets in it', async () => {
    const rewritten = objects.map(({ dataset }) => ({ sha256: digest(new DatasetRewriter(EXPLICIT, IMPLICIT).push(dataset)) }));
    for (const operation of ['move', 'get'] as const) {
      const { received } = await retrieve(operation, study(), { syntaxes: [IMPLICIT] });
      expect(new Set(received.map(({ syntax }) => syntax))).toEqual(new Set([IMPLICIT]));
      expect(digests(received)).toEqual(digests(rewritten));
    }
  });
  it('D07 C-CANCEL ends a C-MOVE with FE00, and says what was done and what was not', async () => {
    const { statuses } = await retrieve('move', study(), { delay: 0.5, cancelAfter: 2 });
    const final = statuses.at(-1)!;
    expect(final.status).toBe('FE00');
    expect(final.completed! + final.remaining! + final.failed!).toBe(COUNT);
    expect(final.remaining).toBeGreaterThan(0);
  });
});

(hasBackend('dcmtk') && hasBackend('python') ? describe : describe.skip)('objects that are stored compressed', () => {
  const ROWS = 24;
  const COLUMNS = 31;
  /** 16 bits, odd sizes, two frames; and 8 bit colour. */
  const grey = (): Dataset => image('1').set('NumberOfFrames', 2).set('SamplesPerPixel', 1).set('PhotometricInterpretation', 'MONOCHROME2').set('BitsAllocated', 16).set('BitsStored', 12).set('HighBit', 11)
    .set('PixelData', Buffer.from(Uint16Array.from({ length: 2 * ROWS * COLUMNS }, (_, index) => (index * 7919) % 4096).buffer), 'OW');
  const colour = (): Dataset => image('2').set('SamplesPerPixel', 3).set('PhotometricInterpretation', 'RGB').set('PlanarConfiguration', 0).set('BitsAllocated', 8).set('BitsStored', 8).set('HighBit', 7)
    .set('PixelData', Uint8Array.from({ length: ROWS * COLUMNS * 3 }, (_, index) => (index * 31) % 256), 'OB');
  const image = (series: string): Dataset => new Dataset().set('SOPClassUID', SECONDARY_CAPTURE).set('SOPInstanceUID', `${root}.3.${series}.1`).set('StudyInstanceUID', `${root}.3`).set('SeriesInstanceUID', `${root}.3.${series}`)
    .set('PatientID', 'PIXELS').set('Modality', 'OT').set('Rows', ROWS).set('Columns', COLUMNS).set('PixelRepresentation', 0);

  beforeAll(async () => {
    const folder = join(directory, 'compressed');
    mkdirSync(folder);
    for (const [tool, dataset] of [['dcmcrle', grey()], ['dcmcjpls', colour()]] as const) {
      const file = join(folder, tool);
      writeFileSync(file, Buffer.concat([part10Prefix({ sopClassUid: SECONDARY_CAPTURE, sopInstanceUid: String(dataset.get('SOPInstanceUID')), transferSyntaxUid: EXPLICIT }), writeDataset(dataset, EXPLICIT)]));
      await run(dcmtkTool(tool)!, [file, `${file}.dcm`], { env });
      rmSync(file);
    }
    await run(dcmtkTool('dcmsend')!, ['-aec', 'PERENNIA', '127.0.0.1', String(product.dicomPort), '--scan-directories', folder], { env });
    await until(async () => (await countOf(product, `/instances?StudyInstanceUID=${root}.3`)) === 2);
  }, 60_000);

  it.each(['move', 'get'] as const)('D21 go to a peer that takes none of it decoded, pixel by pixel what they were: C-%s', async (operation) => {
    const { statuses, received } = await retrieve(operation, { '00080052': 'STUDY', '0020000D': `${root}.3` }, { pixels: true });
    expect(statuses.at(-1)).toMatchObject({ status: '0000', completed: 2 });
    const pixelsOf = (dataset: Dataset): string => digest(Buffer.from(dataset.get('PixelData') as Uint8Array));
    const expected = Object.fromEntries([grey(), colour()].map((dataset) => [dataset.get('SOPInstanceUID'), pixelsOf(dataset)]));
    expect(Object.fromEntries(received.map(({ uid, pixels }) => [uid, pixels]))).toEqual(expected);
    expect(new Set(received.map(({ syntax }) => syntax))).toEqual(new Set([EXPLICIT]));
  });
  it('D21 go as they are to a peer that takes that', async () => {
    const { received } = await retrieve('get', { '00080052': 'SERIES', '0020000D': `${root}.3`, '0020000E': `${root}.3.1` }, { syntaxes: ['1.2.840.10008.1.2.5'] });
    expect(received).toMatchObject([{ syntax: '1.2.840.10008.1.2.5' }]);
  });
});

(hasBackend('dcmtk') ? describe : describe.skip)('dcmtk', () => {
  const filesOf = (folder: string): { sha256: string }[] => readdirSync(folder).map((name) => {
    const file = readFileSync(join(folder, name));
    return { sha256: digest(file.subarray(144 + file.readUInt32LE(140))) };
  });

  it('D10 getscu gets a study into a folder', async () => {
    const folder = join(directory, 'got');
    mkdirSync(folder);
    await run(dcmtkTool('getscu')!, ['-S', '+B', '-aec', 'PERENNIA', '-od', folder, '-k', 'QueryRetrieveLevel=STUDY', '-k', `StudyInstanceUID=${objects[0]!.studyInstanceUid}`, '127.0.0.1', String(product.dicomPort)], { env });
    expect(digests(filesOf(folder))).toEqual(digests(objects));
  });
  it('D07 movescu has a study moved to storescp', async () => {
    const folder = join(directory, 'moved');
    mkdirSync(folder);
    const listening = spawn(dcmtkTool('storescp')!, ['-aet', 'DEST', '+B', '-od', folder, String(port)], { env, stdio: 'ignore' });
    try {
      await untilListening(listening);
      await run(dcmtkTool('movescu')!, ['-S', '-aec', 'PERENNIA', '-aem', 'DEST', '-k', 'QueryRetrieveLevel=STUDY', '-k', `StudyInstanceUID=${objects[0]!.studyInstanceUid}`, '127.0.0.1', String(product.dicomPort)], { env });
      expect(digests(filesOf(folder))).toEqual(digests(objects));
    } finally {
      listening.kill('SIGKILL');
    }
  });

  async function untilListening(process: ChildProcess): Promise<void> {
    for (let attempt = 0; attempt < 100 && process.exitCode === null; attempt++) {
      const echo = await run(dcmtkTool('echoscu')!, ['-aec', 'DEST', '127.0.0.1', String(port)], { env }).then(() => true, () => false);
      if (echo) return;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
});
