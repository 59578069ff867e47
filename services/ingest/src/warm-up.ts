// Stores some made-up objects into nowhere, over associations within the process: what every C-STORE goes through is compiled before a
// sender comes. No port is open for it.
import { duplexPair } from 'node:stream';
import { DicomAcceptor, DicomRequestor, DimseStatus } from '@perennia/dicom-net';
import { acceptStorage, ListenerMetrics, senderSession, StoreHandler } from '@perennia/ingest-pipeline/dimse';
import { LOOPBACK_PROFILE, madeUpObjects, receiveIntoNowhere, type AwaitIndexed } from '@perennia/ingest-pipeline';
import { Metrics, type Clock } from '@perennia/telemetry';

export const WARM_UP_OBJECTS = 400;
/** Under way together, as they mostly are. */
const ASSOCIATIONS = 4;
const LOOPBACK = { address: '127.0.0.1', port: 0 };

/** @returns how many objects were answered with success */
export async function warmUp(clock: Clock): Promise<number> {
  const { stored, acknowledged } = new ListenerMetrics(new Metrics());
  const store = new StoreHandler({
    receive: receiveIntoNowhere(clock), indexed: {} as AwaitIndexed, indexedTimeoutMs: 0, stored, acknowledged, monotonicMs: () => clock.monotonicMs(),
  });
  const acceptor = new DicomAcceptor({
    authorize: () => ({
      accept: true, session: senderSession(LOOPBACK_PROFILE),
      acceptContext: (abstractSyntax, transferSyntaxes) => acceptStorage(abstractSyntax, transferSyntaxes, LOOPBACK_PROFILE),
    }),
    services: { store }, onEvent: () => undefined,
  });
  const objects = madeUpObjects(WARM_UP_OBJECTS);
  const counts = await Promise.all(Array.from({ length: ASSOCIATIONS }, () => storeAll(acceptor, objects)));
  await acceptor.close({ graceMs: 0 });
  return counts.reduce((sum, count) => sum + count, 0);
}

async function storeAll(acceptor: DicomAcceptor, objects: ReturnType<typeof madeUpObjects>): Promise<number> {
  const [sender, receiver] = duplexPair();
  acceptor.handleSocket(receiver, LOOPBACK);
  let association;
  let stored = 0;
  for (const object of objects) {
    const { sopClassUid, transferSyntaxUid } = object;
    association ??= await DicomRequestor.connect({
      host: LOOPBACK.address, port: LOOPBACK.port, connect: () => sender, callingAet: 'WARM-UP', calledAet: 'PERENNIA',
      contexts: [{ abstractSyntax: sopClassUid, transferSyntaxes: [transferSyntaxUid] }],
    });
    const { status } = await association.store(object);
    if (status === DimseStatus.success) stored += 1;
  }
  await association?.release();
  return stored;
}
