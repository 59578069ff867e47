// Our C-MOVE and C-GET SCU against archives people really use: dcmtk's dcmqrscp, and pynetdicom where Python has it.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { CT_IMAGE_STORAGE, dcmtkTool, EXPLICIT_LITTLE, freePort, hasBackend, part10, RememberedObject } from '@perennia/testing';
import { DicomAcceptor, DicomRequestor, QueryRetrieveSopClass, type RequestorAssociation, type StoreOperation, type SubOperations } from './index.js';

const GET = QueryRetrieveSopClass.studyRootGet;
const MOVE = QueryRetrieveSopClass.studyRootMove;
const STUDY = '1.2.3.4';
const identifier = writeDataset(new Dataset().set('QueryRetrieveLevel', 'STUDY').set('StudyInstanceUID', STUDY), EXPLICIT_LITTLE);
const QUERY = { transferSyntaxUid: EXPLICIT_LITTLE, identifier };

const OBJECTS: StoreOperation[] = Array.from({ length: 5 }, (_, n) => {
  const { bytes, datasetOffset, values } = part10({ sopClassUid: CT_IMAGE_STORAGE, studyInstanceUid: STUDY, sopInstanceUid: `${STUDY}.${n}`, pixelBytes: 60_000 });
  return { sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid: values.sopInstanceUid, transferSyntaxUid: EXPLICIT_LITTLE, dataset: bytes.subarray(datasetOffset) };
});

describe('our requestor retrieves', () => {
  let folder = '';
  let archivePort = 0;
  let archive: ChildProcess | null = null;
  let objects: RememberedObject[] = [];
  const store = {
    begin: (request: ConstructorParameters<typeof RememberedObject>[0]) => {
      const object = new RememberedObject(request);
      objects.push(object);
      return object;
    },
  };
  let destination: DicomAcceptor | null = null;

  beforeEach(async () => {
    objects = [];
    archivePort = await freePort();
    folder = await mkdtemp(join(tmpdir(), 'retrieval-'));
  });
  afterEach(async () => {
    if (archive && archive.exitCode === null) {
      archive.kill('SIGKILL');
      await once(archive, 'exit');
    }
    await rm(folder, { recursive: true });
  });

  /** It says nothing when it is ready: connect until it is. */
  async function connect(): Promise<RequestorAssociation> {
    const contexts = [GET, MOVE, CT_IMAGE_STORAGE].map((abstractSyntax) => ({ abstractSyntax, transferSyntaxes: [EXPLICIT_LITTLE] }));
    const roles = [{ sopClassUid: CT_IMAGE_STORAGE, scu: true, scp: true }];
    for (let attempt = 0; ; attempt++) {
      try {
        return await DicomRequestor.connect({ host: '127.0.0.1', port: archivePort, callingAet: 'SCU', calledAet: 'ARCHIVE', contexts, roles, services: { store } });
      } catch (error) {
        if (attempt === 50) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
  function expectAll(): void {
    const byUid = new Map(objects.map((one) => [one.request.sopInstanceUid, one.bytes]));
    for (const { sopInstanceUid, dataset } of OBJECTS) expect(byUid.get(sopInstanceUid)?.equals(dataset as Buffer)).toBe(true);
    expect(byUid.size).toBe(OBJECTS.length);
  }

  (hasBackend('dcmtk') && dcmtkTool('dcmqrscp') ? describe : describe.skip)('from dcmqrscp', () => {
    beforeEach(async () => {
      destination = new DicomAcceptor({
        authorize: () => ({ accept: true, acceptContext: (_, offered) => offered[0] ?? 4 }), services: { store },
      });
      const { port } = await destination.listen({ host: '127.0.0.1', port: 0 });
      await mkdir(join(folder, 'db'));
      await writeFile(join(folder, 'dcmqrscp.cfg'), `
NetworkTCPPort = ${archivePort}
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
destination = (DESTINATION, 127.0.0.1, ${port})
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
ARCHIVE ${join(folder, 'db')} RW (200, 1024mb) ANY
AETable END
`);
      archive = execFile(dcmtkTool('dcmqrscp')!, ['-c', join(folder, 'dcmqrscp.cfg')], { env: { ...process.env, TCP_NODELAY: '1' } });
      const association = await connect();
      for (const operation of OBJECTS) expect((await association.store(operation)).status).toBe(0);
      await association.release();
      expect((await readdir(join(folder, 'db'))).length).toBeGreaterThan(OBJECTS.length);
    });
    afterEach(() => destination?.close({ graceMs: 1000 }));

    it('D10: C-GET brings every object on the same association, bytes equal', async () => {
      const association = await connect();
      const outcome = await association.get({ ...QUERY, sopClassUid: GET }).finished();
      expect(outcome).toMatchObject({ status: 0, completed: 5, failed: 0, failedSopInstanceUids: [] });
      await association.release();
      expectAll();
    });

    it('D07: C-MOVE has them sent to another listener of ours, which learns who asked', async () => {
      const association = await connect();
      const told: Partial<SubOperations>[] = [];
      const retrieval = association.move({ ...QUERY, sopClassUid: MOVE, moveDestination: 'DESTINATION' });
      for await (const progress of retrieval) told.push(progress);
      expect(retrieval.outcome).toMatchObject({ status: 0, completed: 5 });
      expect(told.length).toBeGreaterThan(0);
      expectAll();
      expect(objects[0]?.request).toMatchObject({ moveOriginatorAet: 'SCU', moveOriginatorMessageId: 1 });
      expect((await association.move({ ...QUERY, sopClassUid: MOVE, moveDestination: 'NOWHERE' }).finished()).status).toBe(0xa801);
      await association.release();
    });
  });

  (hasBackend('python') ? describe : describe.skip)('from pynetdicom', () => {
    beforeEach(() => {
      const program = `
from pydicom.dataset import Dataset, FileMetaDataset
from pynetdicom import AE, evt, build_role
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as GET
def on_get(event):
    yield 5
    for n in range(5):
        if event.is_cancelled:
            yield 0xFE00, None
            return
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = '${EXPLICIT_LITTLE}'
        ds.SOPClassUID = '${CT_IMAGE_STORAGE}'
        ds.SOPInstanceUID = '1.9.%d' % n
        ds.StudyInstanceUID = '${STUDY}'
        yield 0xFF00, ds
ae = AE(ae_title='ARCHIVE')
ae.add_supported_context(GET, '${EXPLICIT_LITTLE}')
ae.add_supported_context('${CT_IMAGE_STORAGE}', '${EXPLICIT_LITTLE}', scu_role=True, scp_role=True)
ae.start_server(('127.0.0.1', ${archivePort}), evt_handlers=[(evt.EVT_C_GET, on_get)])
`;
      archive = execFile('python3', ['-c', program]);
    });

    it('D10: C-GET brings every object, with the progress', async () => {
      const association = await connect();
      const told: Partial<SubOperations>[] = [];
      const retrieval = association.get({ ...QUERY, sopClassUid: GET });
      for await (const progress of retrieval) told.push(progress);
      expect(retrieval.outcome).toMatchObject({ status: 0, completed: 5, failed: 0, warning: 0 });
      expect(told.at(-1)?.completed).toBeGreaterThan(0);
      expect(objects.map((one) => one.request.sopInstanceUid)).toEqual(['1.9.0', '1.9.1', '1.9.2', '1.9.3', '1.9.4']);
      await association.release();
    });
  });
});
