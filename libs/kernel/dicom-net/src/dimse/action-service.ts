// N-ACTION (PS3.7 §10.1.4): what is invoked by an SCU, and the seam to whoever acts.
import type { EventReportOperation } from './event-report-service.js';
import type { NormalizedOutcome } from './normalized-outcome.js';
import type { RequestOrigin } from './request-origin.js';

export interface Action {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly actionTypeId: number;
}

/** One to be invoked. */
export interface ActionOperation extends Action {
  /** A whole dataset in that transfer syntax. */
  readonly information?: Buffer;
}

export interface ActionRequest extends Action, RequestOrigin {
  /**
   * N-EVENT-REPORT on the association of the request, as long as it lasts: it may be behind the answer. A failure status is an outcome.
   * @throws RoleNotGrantedError where the peer is no SCU of that SOP class and transfer syntax; AssociationError when the association has ended
   */
  report(operation: EventReportOperation): Promise<NormalizedOutcome>;
}

export interface ActionService {
  /** Those it acts for. A request for any other is answered 0211. */
  readonly sopClassUids: ReadonlySet<string>;
  /** `information` is null where none came. A DimseFailure thrown is the outcome, any other error 0110. */
  perform(request: ActionRequest, information: Buffer | null): NormalizedOutcome | Promise<NormalizedOutcome>;
}
