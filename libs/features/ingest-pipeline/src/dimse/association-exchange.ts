// How the processes of one archive share one DICOM port (ADR 22): reception has the port, and gives an association that asks for more than
// storage to the process that serves queries, before it is answered.
import type { PeerAddress } from '@perennia/dicom-net';
import type { Socket } from 'node:net';

export interface GivenAssociation {
  readonly socket: Socket;
  /** The A-ASSOCIATE-RQ PDU, which has been read already. */
  readonly head: Buffer;
  readonly peer: PeerAddress;
}

export abstract class AssociationExchange {
  /** Whether there is a process in this archive that serves queries for this one. */
  abstract readonly canGive: boolean;
  /** Whether associations come to this process by the exchange; then it has no port of its own. */
  abstract readonly canTake: boolean;
  abstract give(association: GivenAssociation): void;
  abstract onTaken(take: (association: GivenAssociation) => void): void;
}

/** A service that runs alone. */
export const NO_EXCHANGE: AssociationExchange = { canGive: false, canTake: false, give: ({ socket }) => void socket.destroy(), onTaken: () => undefined };
