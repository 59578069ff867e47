// Storage commitment with pynetdicom as the other side (PS3.4 Annex J): it asks and is told on an association of ours, and the other way round.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { CT_IMAGE_STORAGE, EXPLICIT_LITTLE, freePort, hasBackend } from '@perennia/testing';
import { type ActionRequest, DicomAcceptor, DicomRequestor, type EventReportRequest, StorageCommitment } from './index.js';

const run = promisify(execFile);
const { sopClassUid, sopInstanceUid } = StorageCommitment;
const reference = (uid: string): Dataset => new Dataset().set('ReferencedSOPClassUID', CT_IMAGE_STORAGE).set('ReferencedSOPInstanceUID', uid);
const dataset = (...uids: string[]): Buffer =>
  writeDataset(new Dataset().set('TransactionUID', '1.2.3.9').set('ReferencedSOPSequence', uids.map((uid) => reference(uid))), EXPLICIT_LITTLE);

const PRELUDE = `
from pydicom.dataset import Dataset
from pynetdicom import AE, evt, build_role
from pynetdicom.sop_class import StorageCommitmentPushModel as MODEL, StorageCommitmentPushModelInstance as INSTANCE
def references(*uids):
    ds = Dataset()
    ds.TransactionUID = '1.2.3.9'
    ds.ReferencedSOPSequence = []
    for uid in uids:
        item = Dataset()
        item.ReferencedSOPClassUID = '${CT_IMAGE_STORAGE}'
        item.ReferencedSOPInstanceUID = uid
        ds.ReferencedSOPSequence.append(item)
    return ds
`;

(hasBackend('python') ? describe : describe.skip)('storage commitment', () => {
  const actions: { request: ActionRequest; information: Buffer | null }[] = [];
  const events: { request: EventReportRequest; information: Buffer | null }[] = [];
  let port = 0;
  const acceptor = new DicomAcceptor({
    authorize: () => ({ accept: true, acceptContext: (_, offered) => offered[0] ?? 4, acceptRole: (proposed) => proposed }),
    services: {
      action: { sopClassUids: new Set([sopClassUid]), perform: (request, information) => {
        actions.push({ request, information });
        return { status: 0 };
      } },
      eventReport: { sopClassUids: new Set([sopClassUid]), receive: (request, information) => {
        events.push({ request, information });
        return { status: 0 };
      } },
    },
  });
  beforeAll(async () => {
    ({ port } = await acceptor.listen({ host: '127.0.0.1', port: 0 }));
  });
  afterAll(() => acceptor.close({ graceMs: 1000 }));
  beforeEach(() => {
    actions.length = 0;
    events.length = 0;
  });

  it('D11: pynetdicom asks for commitment, and is answered', async () => {
    const { stdout } = await run('python3', ['-c', `${PRELUDE}
ae = AE(ae_title='PYNET')
ae.add_requested_context(MODEL, '${EXPLICIT_LITTLE}')
assoc = ae.associate('127.0.0.1', ${port}, ae_title='PERENNIA')
status, reply = assoc.send_n_action(references('1.1', '1.2'), 1, MODEL, INSTANCE)
print('%04x' % status.Status)
assoc.release()`], { timeout: 30_000 });
    expect(stdout.trim()).toBe('0000');
    expect(actions).toMatchObject([{ request: { sopClassUid, sopInstanceUid, actionTypeId: 1, callingAet: 'PYNET' } }]);
    expect(actions[0]?.information?.toString('latin1')).toContain('1.2.3.9');
  });

  it('D12: pynetdicom reports an event on an association of its own, by role selection', async () => {
    const { stdout } = await run('python3', ['-c', `${PRELUDE}
ae = AE(ae_title='PYNET')
ae.add_requested_context(MODEL, '${EXPLICIT_LITTLE}')
assoc = ae.associate('127.0.0.1', ${port}, ae_title='PERENNIA', ext_neg=[build_role(MODEL, scu_role=False, scp_role=True)])
status, reply = assoc.send_n_event_report(references('1.1'), 1, MODEL, INSTANCE)
print('%04x' % status.Status)
assoc.release()`], { timeout: 30_000 });
    expect(stdout.trim()).toBe('0000');
    expect(events).toMatchObject([{ request: { sopClassUid, sopInstanceUid, eventTypeId: 1, callingAet: 'PYNET' } }]);
  });

  it('D11, D12: our requestor asks pynetdicom for commitment, and reports an event to it by role selection', async () => {
    const peerPort = await freePort();
    const server: ChildProcess = execFile('python3', ['-u', '-c', `${PRELUDE}
def on_action(event):
    print('action', event.action_type, event.action_information.TransactionUID, len(event.action_information.ReferencedSOPSequence))
    return 0x0000, None
def on_event(event):
    print('event', event.event_type, event.event_information.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
    return 0x0000, None
ae = AE(ae_title='PYNET')
ae.add_supported_context(MODEL, '${EXPLICIT_LITTLE}', scu_role=True, scp_role=True)
server = ae.start_server(('127.0.0.1', ${peerPort}), block=False, evt_handlers=[(evt.EVT_N_ACTION, on_action), (evt.EVT_N_EVENT_REPORT, on_event)])
print('ready')
import time
time.sleep(60)`]);
    const lines = createInterface({ input: server.stdout! })[Symbol.asyncIterator]();
    const nextLine = async (): Promise<string> => (await lines.next()).value as string;
    try {
      expect(await nextLine()).toBe('ready');
      const common = { host: '127.0.0.1', port: peerPort, callingAet: 'PERENNIA', calledAet: 'PYNET', contexts: [{ abstractSyntax: sopClassUid, transferSyntaxes: [EXPLICIT_LITTLE] }] };
      const operation = { sopClassUid, sopInstanceUid, transferSyntaxUid: EXPLICIT_LITTLE };
      const asking = await DicomRequestor.connect(common);
      const { requestActionTypeId: actionTypeId, successfulEventTypeId: eventTypeId } = StorageCommitment;
      expect(await asking.action({ ...operation, actionTypeId, information: dataset('1.1', '1.2') })).toEqual({ status: 0 });
      await asking.release();
      expect(await nextLine()).toBe('action 1 1.2.3.9 2');
      const reporting = await DicomRequestor.connect({ ...common, roles: [{ sopClassUid, scu: false, scp: true }] });
      expect(await reporting.report({ ...operation, eventTypeId, information: dataset('1.1') })).toEqual({ status: 0 });
      await reporting.release();
      expect(await nextLine()).toBe('event 1 1.1');
    } finally {
      server.kill('SIGKILL');
      await once(server, 'exit');
    }
  });
});
