// The exchange of associations between the processes of one archive (ADR 22): over the channels that the supervisor has to each of them, or
// directly where all run in one process.
import type { Serializable } from 'node:child_process';
import type { Socket } from 'node:net';
import { AssociationExchange, NO_EXCHANGE, type GivenAssociation } from '@perennia/ingest-pipeline/dimse';
import { exchangesAssociations, isAssociationMessage, type AssociationMessage } from './association-message.js';
import type { ProcessGroup, RoleName } from './process-groups.js';

/** For a process of an archive under a supervisor. @param archiveRoles those of all its processes */
export function exchangeOfProcess({ roles }: ProcessGroup, archiveRoles: readonly RoleName[]): AssociationExchange {
  if (!exchangesAssociations(archiveRoles)) return NO_EXCHANGE;
  return new SupervisedExchange(roles.includes('ingest'), roles.includes('retrieve'));
}

class SupervisedExchange extends AssociationExchange {
  constructor(
    readonly canGive: boolean,
    readonly canTake: boolean,
  ) {
    super();
  }

  give({ socket, head, peer }: GivenAssociation): void {
    const message: AssociationMessage = { kind: 'association', head: head.toString('base64'), peer };
    process.send!(message, socket, undefined, (error) => void (error && socket.destroy()));
  }

  onTaken(take: (association: GivenAssociation) => void): void {
    process.on('message', (message: Serializable, socket) => {
      if (!isAssociationMessage(message) || !socket) return;
      take({ socket: socket as Socket, head: Buffer.from(message.head, 'base64'), peer: message.peer });
    });
  }
}

/** Where all services run in one process. One for each of its groups. */
export class LocalExchange {
  private taker: (association: GivenAssociation) => void = ({ socket }) => void socket.destroy();

  endOf({ roles }: ProcessGroup, archiveRoles: readonly RoleName[]): AssociationExchange {
    if (!exchangesAssociations(archiveRoles)) return NO_EXCHANGE;
    return {
      canGive: roles.includes('ingest'),
      canTake: roles.includes('retrieve'),
      give: (association) => this.taker(association),
      onTaken: (take) => void (this.taker = take),
    };
  }
}
