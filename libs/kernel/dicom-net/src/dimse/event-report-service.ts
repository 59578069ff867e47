// N-EVENT-REPORT (PS3.7 §10.1.1): what is invoked by an SCP, and the seam to whoever is told.
import type { NormalizedOutcome } from './normalized-outcome.js';
import type { RequestOrigin } from './request-origin.js';

export interface EventReport {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly eventTypeId: number;
}

/** One to be invoked. */
export interface EventReportOperation extends EventReport {
  /** A whole dataset in that transfer syntax. */
  readonly information?: Buffer;
}

export interface EventReportRequest extends EventReport, RequestOrigin {}

export interface EventReportService {
  /** Those it is told of, by a peer that has the role of an SCP. A request for any other is answered 0211. */
  readonly sopClassUids: ReadonlySet<string>;
  /** `information` is null where none came. A DimseFailure thrown is the outcome, any other error 0110. */
  receive(request: EventReportRequest, information: Buffer | null): NormalizedOutcome | Promise<NormalizedOutcome>;
}
