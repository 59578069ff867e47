// Our C-MOVE and C-GET SCP against the clients people really use: dcmtk's movescu with storescp, and getscu; pynetdicom where Python has it.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CT_IMAGE_STORAGE, dcmtkTool, EXPLICIT_LITTLE, freePort, hasBackend, part10 } from '@perennia/testing';
import {
  type AcceptorEvent, DicomAcceptor, DicomRequestor, DimseFailure, GET_SOP_CLASSES, type GetRequest, MOVE_SOP_CLASSES, type MoveRequest, type RequestorAssociation,
  type RetrieveOutcome, type StoreOperation, type SubOperations,
} from './index.js';

const run = promisify(execFile);
const ENVIRONMENT = { ...process.env, TCP_NODELAY: '1' };
const occurrences = (text: string, part: string): number => text.split(part).length - 1;

describe('retrieval', () => {
  const events: AcceptorEvent[] = [];
  const moves: MoveRequest[] = [];
  const gets: GetRequest[] = [];
  let objects: StoreOperation[] = [];
  let pauseMs = 0;
  let folder = '';
  let port = 0;
  let scpPort = 0;
  let cancelledAtMs = 0;
  let releasedAtMs = 0;
  let scp: ChildProcess | null = null;

  function object(n: number, over: Partial<StoreOperation> = {}): StoreOperation {
    const { bytes, datasetOffset, values } = part10({ sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid: `1.2.3.4.${n}`, pixelBytes: 50_000 });
    const dataset = bytes.subarray(datasetOffset);
    return { sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid: values.sopInstanceUid, transferSyntaxUid: EXPLICIT_LITTLE, dataset, ...over };
  }

  /** Sends all by `store`, and counts. */
  async function* sendAll(signal: AbortSignal, store: (operation: StoreOperation) => Promise<number>): AsyncGenerator<SubOperations, RetrieveOutcome> {
    let [remaining, completed, failed] = [objects.length, 0, 0];
    const failedSopInstanceUids: string[] = [];
    for (const one of objects) {
      if (signal.aborted) break;
      yield { remaining, completed, failed, warning: 0 };
      const status = await store(one).catch(() => 0xa702);
      remaining--;
      if (status === 0) completed++;
      else failedSopInstanceUids.push(one.sopInstanceUid);
      failed = failedSopInstanceUids.length;
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    return { remaining, completed, failed, warning: 0, failedSopInstanceUids };
  }

  async function* move(request: MoveRequest): AsyncGenerator<SubOperations, RetrieveOutcome> {
    moves.push(request);
    request.signal.addEventListener('abort', () => (cancelledAtMs = performance.now()));
    if (request.moveDestination !== 'DESTINATION') throw new DimseFailure(0xa801, 'Unknown move destination');
    const contexts = [{ abstractSyntax: CT_IMAGE_STORAGE, transferSyntaxes: [EXPLICIT_LITTLE] }];
    const association: RequestorAssociation = await DicomRequestor.connect({ host: '127.0.0.1', port: scpPort, callingAet: 'PERENNIA', calledAet: 'DESTINATION', contexts });
    const originator = { moveOriginatorAet: request.callingAet, moveOriginatorMessageId: request.messageId };
    const outcome = yield* sendAll(request.signal, async (operation) => (await association.store({ ...operation, ...originator })).status);
    await association.release();
    return outcome;
  }
  async function* get(request: GetRequest): AsyncGenerator<SubOperations, RetrieveOutcome> {
    gets.push(request);
    return yield* sendAll(request.signal, async (operation) => (await request.store(operation)).status);
  }

  const acceptor = new DicomAcceptor({
    authorize: () => ({ accept: true, acceptContext: (_, offered) => offered[0] ?? 4, acceptRole: () => ({ scu: true, scp: true }) }),
    services: { move: { sopClassUids: MOVE_SOP_CLASSES, retrieve: move }, get: { sopClassUids: GET_SOP_CLASSES, retrieve: get } },
    limits: { pendingIntervalMs: 100 },
    onEvent: (event) => {
      events.push(event);
      if (event.type === 'released') releasedAtMs = performance.now();
    },
  });

  beforeAll(async () => {
    ({ port } = await acceptor.listen({ host: '127.0.0.1', port: 0 }));
  });
  afterAll(() => acceptor.close({ graceMs: 1000 }));
  beforeEach(async () => {
    for (const list of [events, moves, gets]) list.length = 0;
    pauseMs = 0;
    folder = await mkdtemp(join(tmpdir(), 'retrieve-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const keys = ['-k', '0008,0052=STUDY', '-k', '0020,000d=1.2.3.4'];
  async function tool(name: string, ...parameters: string[]): Promise<string> {
    const given = ['-v', '-aet', 'SCU', '-aec', 'PERENNIA', ...parameters, ...keys, '127.0.0.1', String(port)];
    const { stdout, stderr } = await run(dcmtkTool(name)!, given, { env: ENVIRONMENT, timeout: 30_000, maxBuffer: 1 << 26 })
      .catch((error: { stdout: string; stderr: string }) => error);
    return stdout + stderr;
  }
  /** storescp says nothing when it is ready: connect until it is. */
  async function withDestination(go: () => Promise<void>): Promise<void> {
    scpPort = await freePort();
    scp = execFile(dcmtkTool('storescp')!, ['-d', '-aet', 'DESTINATION', '-od', folder, String(scpPort)], { env: ENVIRONMENT, maxBuffer: 1 << 26 });
    try {
      await connectWithPatience(scpPort);
      await go();
    } finally {
      scp.kill('SIGKILL');
    }
  }

  (hasBackend('dcmtk') ? describe : describe.skip)('dcmtk', () => {
    it.each([['-P', '1.2.840.10008.5.1.4.1.2.1.2'], ['-S', '1.2.840.10008.5.1.4.1.2.2.2'], ['-O', '1.2.840.10008.5.1.4.1.2.3.2']])(
      'D07: movescu %s has ten objects sent to storescp, and hears of the progress', async (model, sopClassUid) => {
        objects = Array.from({ length: 10 }, (_, n) => object(n));
        pauseMs = 50;
        await withDestination(async () => {
          const said = await tool('movescu', model, '-d', '-aem', 'DESTINATION');
          expect(said).toMatch(/Received Final Move Response|Received Move Response/);
          expect(occurrences(said, 'Pending')).toBeGreaterThan(3);
          expect(said).toContain('Completed Suboperations       : 10');
          expect(await readdir(folder)).toHaveLength(10);
          expect(moves).toMatchObject([{ sopClassUid, moveDestination: 'DESTINATION', callingAet: 'SCU', priority: 'medium' }]);
        });
      });

    it('D08: movescu hears of what failed, of an unknown destination, and of nothing at all', async () => {
      objects = [object(1), object(2, { transferSyntaxUid: '1.2.840.10008.1.2.4.90' })];
      await withDestination(async () => {
        const said = await tool('movescu', '-S', '-d', '-aem', 'DESTINATION');
        expect(said).toContain('0xb000');
        expect(said).toContain('1.2.3.4.2');
        objects = [];
        expect(await tool('movescu', '-S', '-d', '-aem', 'DESTINATION')).toContain('0x0000: Success');
        expect(await tool('movescu', '-S', '-d', '-aem', 'ELSEWHERE')).toContain('0xa801');
      });
      expect(events.filter((event) => event.type === 'failure')).toEqual([]);
    });

    it('D07: movescu --cancel stops it within a second', async () => {
      objects = Array.from({ length: 1000 }, (_, n) => object(n));
      pauseMs = 20;
      await withDestination(async () => {
        const said = await tool('movescu', '-S', '-d', '-aem', 'DESTINATION', '--cancel', '2');
        expect(said).toContain('0xfe00');
        expect(releasedAtMs - cancelledAtMs).toBeLessThan(1000);
        expect((await readdir(folder)).length).toBeLessThan(1000);
      });
    });

    it.each([['-P', '1.2.840.10008.5.1.4.1.2.1.3'], ['-S', '1.2.840.10008.5.1.4.1.2.2.3'], ['-O', '1.2.840.10008.5.1.4.1.2.3.3']])(
      'D10: getscu %s takes ten objects on its association', async (model, sopClassUid) => {
        objects = Array.from({ length: 10 }, (_, n) => object(n));
        const said = await tool('getscu', model, '-d', '-od', folder);
        expect(said).toContain('0x0000: Success');
        expect(await readdir(folder)).toHaveLength(10);
        expect(gets).toMatchObject([{ sopClassUid, callingAet: 'SCU' }]);
        expect(gets[0]?.storageContexts.some((context) => context.abstractSyntax === CT_IMAGE_STORAGE)).toBe(true);
        expect(events.map((event) => event.type)).toEqual(['accepted', 'released']);
      });

    it('D10: getscu hears which object could not be sent in what was negotiated', async () => {
      objects = [object(1), object(2, { transferSyntaxUid: '1.2.840.10008.1.2.4.90' })];
      const said = await tool('getscu', '-S', '-d', '-od', folder);
      expect(said).toContain('0xb000');
      expect(said).toMatch(/Failed Suboperations\s+: 1/);
      expect(await readdir(folder)).toHaveLength(1);
    });
  });

  (hasBackend('python') ? describe : describe.skip)('pynetdicom', () => {
    async function python(body: string): Promise<string[]> {
      const program = `
from pydicom.dataset import Dataset
from pynetdicom import AE, evt, build_role
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as GET, StudyRootQueryRetrieveInformationModelMove as MOVE
ae = AE(ae_title='PYNET')
ae.add_requested_context(GET)
ae.add_requested_context(MOVE)
ae.add_requested_context('${CT_IMAGE_STORAGE}', '${EXPLICIT_LITTLE}')
stored = []
def on_store(event):
    stored.append(event.dataset.SOPInstanceUID)
    return on_status(len(stored))
on_status = lambda n: 0
assoc = ae.associate('127.0.0.1', ${port}, ae_title='PERENNIA', ext_neg=[build_role('${CT_IMAGE_STORAGE}', scp_role=True)], evt_handlers=[(evt.EVT_C_STORE, on_store)])
assert assoc.is_established
query = Dataset()
query.QueryRetrieveLevel = 'STUDY'
query.StudyInstanceUID = '1.2.3.4'
def tell(responses):
    for status, identifier in responses:
        counts = [getattr(status, name, None) for name in ('NumberOfRemainingSuboperations', 'NumberOfCompletedSuboperations', 'NumberOfFailedSuboperations', 'NumberOfWarningSuboperations')]
        print('%04x' % status.Status, counts, getattr(identifier, 'FailedSOPInstanceUIDList', None), flush=True)
${body}
if assoc.is_established: assoc.release()
`;
      const { stdout } = await run('python3', ['-c', program], { timeout: 30_000 });
      return stdout.trim().split('\n');
    }

    it('D10: C-GET with counts, a failure in the middle, and the list of what failed', async () => {
      objects = [1, 2, 3].map((n) => object(n));
      const said = await python('on_status = lambda n: 0xA700 if n == 2 else 0\ntell(assoc.send_c_get(query, GET))\nprint(len(stored))');
      expect(said).toEqual(['ff00 [3, 0, 0, 0] None', 'b000 [None, 2, 1, 0] 1.2.3.4.2', '3']);
    });

    it('D10: C-GET in which everything fails is A702', async () => {
      objects = [1, 2].map((n) => object(n));
      const said = await python('on_status = lambda n: 0xA700\ntell(assoc.send_c_get(query, GET))');
      expect(said.at(-1)).toBe("a702 [None, 0, 2, 0] ['1.2.3.4.1', '1.2.3.4.2']");
    });

    it('D07: C-MOVE with an unknown destination is A801', async () => {
      objects = [object(1)];
      expect(await python("tell(assoc.send_c_move(query, 'ELSEWHERE', MOVE))")).toEqual(['a801 [None, None, None, None] None']);
    });

    it('D10: C-GET is cancelled within a second', async () => {
      objects = Array.from({ length: 1000 }, (_, n) => object(n));
      pauseMs = 10;
      const said = await python(`
import time
def on_status(n):
    if n == 10: assoc.send_c_cancel(1, query_model=GET)
    return 0
begun = time.monotonic()
tell(assoc.send_c_get(query, GET, msg_id=1))
print(time.monotonic() - begun < 2, len(stored) < 100)`);
      expect(said.at(-2)).toMatch(/^fe00 \[9\d\d, \d+, 0, 0\]/);
      expect(said.at(-1)).toBe('True True');
    });

    it('D10: an abort in the middle of C-GET ends the retrieval', async () => {
      objects = Array.from({ length: 1000 }, (_, n) => object(n));
      await python(`
import os, time
def on_status(n):
    if n < 3: return 0
    assoc.acse.send_abort(0)
    time.sleep(0.2)
    os._exit(0)
tell(assoc.send_c_get(query, GET))`);
      while (events.length < 2) await new Promise((resolve) => setImmediate(resolve));
      expect(events.at(-1)).toMatchObject({ type: 'aborted' });
      expect(gets[0]?.signal.aborted).toBe(true);
    });
  });
});

async function connectWithPatience(port: number): Promise<void> {
  const contexts = [{ abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2'] }];
  for (let attempt = 0; ; attempt++) {
    try {
      return await (await DicomRequestor.connect({ host: '127.0.0.1', port, callingAet: 'SCU', calledAet: 'DESTINATION', contexts })).release();
    } catch (error) {
      if (attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
