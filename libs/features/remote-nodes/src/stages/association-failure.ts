// What ended an association with a remote node, or kept it from being, as a stage that failed.
import { AssociationAbortedError, AssociationRejectedError, AssociationTransportError, Rejection, type AssociationRejection } from '@perennia/dicom-net';
import { StageFailure } from './stage-failure.js';

export interface AssociationParties {
  readonly callingAet: string;
  readonly calledAet: string;
}

/** @param error what the requestor gave up with. @returns the error itself where it does not tell of the peer */
export function associationFailure(error: unknown, parties: AssociationParties): unknown {
  if (error instanceof AssociationRejectedError) return new StageFailure(withoutStop(error.message), remedyOf(error.rejection, parties));
  if (error instanceof AssociationAbortedError) {
    return new StageFailure(withoutStop(error.message), 'Look into the log of the node; perhaps the port belongs to another program');
  }
  if (error instanceof AssociationTransportError) {
    return new StageFailure(withoutStop(error.message), 'Look into the log of the node: it may know only listed AE titles and addresses, or want TLS on this port');
  }
  return error;
}

const isSame = (one: AssociationRejection, other: AssociationRejection): boolean => one.source === other.source && one.reason === other.reason;

function remedyOf(rejection: AssociationRejection, { callingAet, calledAet }: AssociationParties): string {
  if (isSame(rejection, Rejection.calledAetNotRecognized)) return `The node is not called ${calledAet}: correct the AE title, in which upper and lower case differ`;
  if (isSame(rejection, Rejection.callingAetNotRecognized)) return `Make ${callingAet} known to the node, with the address of this machine`;
  if (rejection.result === 2) return 'Try again later; if it stays so, the node allows too few associations';
  return `Look into the log of the node; often it does not know ${callingAet} or the address of this machine`;
}

const withoutStop = (text: string): string => text.replace(/\.$/, '');
