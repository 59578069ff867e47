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

/** No accepted presentation context fits what should be sent. */
export class NoPresentationContextError extends AssociationError {
  readonly code = 'NO_PRESENTATION_CONTEXT';
  readonly retriable = false;

  constructor(readonly sopClassUid: string, readonly transferSyntaxUid: string | undefined) {
    super(`The peer accepted no presentation context for SOP class ${sopClassUid}${transferSyntaxUid ? ` in transfer syntax ${transferSyntaxUid}` : ''}.`);
  }
}
