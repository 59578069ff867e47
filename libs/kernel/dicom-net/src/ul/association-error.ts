// How an association of ours can fail, by what the caller can do. Kernel code: no dependency on the platform's errors.
import { type AssociationAbort, describeAbort } from './abort-reason.js';
import { type AssociationRejection, describeRejection } from './reject-reason.js';

export abstract class AssociationError extends Error {
  /** Stable, UPPER_SNAKE. */
  abstract readonly code: string;
  /** Whether the same association may succeed later. */
  abstract readonly retriable: boolean;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The peer answered A-ASSOCIATE-RJ. */
export class AssociationRejectedError extends AssociationError {
  readonly code = 'ASSOCIATION_REJECTED';
  readonly retriable: boolean;

  constructor(readonly rejection: AssociationRejection) {
    super(`The association was ${describeRejection(rejection)}.`);
    this.retriable = rejection.result === 2;
  }
}

/** Either side sent A-ABORT, or a timeout made us do so. */
export class AssociationAbortedError extends AssociationError {
  readonly code = 'ASSOCIATION_ABORTED';
  readonly retriable = true;

  constructor(readonly abort: AssociationAbort, detail: string) {
    super(`The association was ${describeAbort(abort)}: ${detail}.`);
  }
}

/** The connection could not be made, or vanished. */
export class AssociationTransportError extends AssociationError {
  readonly code = 'ASSOCIATION_TRANSPORT';
  readonly retriable = true;

  constructor(detail: string, cause?: unknown) {
    super(`The connection failed: ${detail}.`, cause === undefined ? undefined : { cause });
  }
}

/** The context was accepted, and our role in it was not (PS3.7 §D.3.3.4). */
export class RoleNotGrantedError extends AssociationError {
  readonly code = 'ROLE_NOT_GRANTED';
  readonly retriable = false;

  constructor(readonly sopClassUid: string, readonly role: 'SCU' | 'SCP') {
    super(`The peer does not take us as ${role} of SOP class ${sopClassUid}: there is no presentation context with that role.`);
  }
}

/** No accepted presentation context fits what should be sent. */
export class NoPresentationContextError extends AssociationError {
  readonly code = 'NO_PRESENTATION_CONTEXT';
  readonly retriable = false;

  constructor(readonly sopClassUid: string, readonly transferSyntaxUid: string | undefined) {
    super(`The peer accepted no presentation context for SOP class ${sopClassUid}${transferSyntaxUid ? ` in transfer syntax ${transferSyntaxUid}` : ''}.`);
  }
}
