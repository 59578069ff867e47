// A process without a port, which serves the associations that are sent to it, and tells what it was asked.
import type { Socket } from 'node:net';
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { type AcceptorEvent, DicomAcceptor, type PeerAddress, QUERY_SOP_CLASSES } from './index.js';

export type SaidByServing = { ready: true } | { event: AcceptorEvent } | { stored: string; bytes: number; peer: PeerAddress };

const say = (message: SaidByServing): void => void process.send?.(message);
const acceptor = new DicomAcceptor({
  authorize: () => ({ accept: true, acceptContext: (_, offered) => offered[0] ?? 4 }),
  onEvent: (event) => say({ event }),
  services: {
    echo: () => 0,
    store: {
      begin: ({ sopInstanceUid, peer }) => {
        let bytes = 0;
        return {
          write: (chunk) => void (bytes += chunk.length),
          end: () => {
            say({ stored: sopInstanceUid, bytes, peer });
            return { status: 0 };
          },
          abort: () => undefined,
        };
      },
    },
    find: {
      sopClassUids: QUERY_SOP_CLASSES,
      find: async function* ({ transferSyntaxUid }) {
        for (const n of [1, 2, 3]) yield { identifier: writeDataset(new Dataset().set('StudyInstanceUID', `1.2.3.${n}`), transferSyntaxUid) };
      },
    },
  },
});

process.on('message', ({ head }: { head: string }, socket: Socket | undefined) => {
  if (socket) acceptor.handleSocket(socket, undefined, Buffer.from(head, 'base64'));
});
say({ ready: true });
