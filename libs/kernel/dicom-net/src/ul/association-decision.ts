// What the application answers to an association request: refuse it, accept it context by context, or have another process do so.
import type { QueryExtensions } from '../dimse/query-extensions.js';
import type { AssociationHandover } from './association-handover.js';
import type { ExtendedNegotiation, RoleSelection } from './association-request.js';
import type { AssociationRejection } from './reject-reason.js';

/** Result of one presentation context (PS3.8 Table 9-18). */
export const ContextResult = {
  acceptance: 0,
  userRejection: 1,
  noReason: 2,
  abstractSyntaxNotSupported: 3,
  transferSyntaxesNotSupported: 4,
} as const;

export type ContextRejection = 1 | 2 | 3 | 4;

export interface AssociationAcceptance {
  readonly accept: true;
  /** The transfer syntax taken, which must be one of those proposed, or why the context is refused. */
  acceptContext(abstractSyntax: string, transferSyntaxes: readonly string[]): string | ContextRejection;
  /** Roles granted for a SOP class; without this callback the requestor is SCU only. */
  acceptRole?(proposal: RoleSelection): { scu: boolean; scp: boolean };
  /** Bytes to answer to an extended negotiation; none answers nothing, which means the defaults. */
  acceptExtended?(proposal: ExtendedNegotiation): Buffer | undefined;
  /** What C-FIND supports beyond the baseline for a query SOP class whose extensions were proposed; goes before `acceptExtended` for those. */
  acceptQueryExtensions?(sopClassUid: string, proposed: QueryExtensions): QueryExtensions;
  /** Server response to a user identity that asked for a positive response (PS3.7 §D.3.3.7.2). */
  readonly userIdentityResponse?: Buffer;
  /** Carried untouched to every request of this association. */
  readonly session?: unknown;
}

export type AssociationDecision = AssociationAcceptance | AssociationHandover | ({ readonly accept: false } & AssociationRejection);
