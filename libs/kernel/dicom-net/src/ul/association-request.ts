// What a peer asks for in its A-ASSOCIATE-RQ (PS3.8 §9.3.2, PS3.7 Annex D), decoded and trimmed.

export interface ProposedContext {
  /** Odd, 1 to 255. */
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
}

/** SCP/SCU role selection (PS3.7 §D.3.3.4): which roles the requestor wants to play for a SOP class. */
export interface RoleSelection {
  readonly sopClassUid: string;
  readonly scu: boolean;
  readonly scp: boolean;
}

/** SOP class extended negotiation (PS3.7 §D.3.3.5): bytes only the service class understands. */
export interface ExtendedNegotiation {
  readonly sopClassUid: string;
  readonly information: Buffer;
}

/** SOP class common extended negotiation (PS3.7 §D.3.3.6). */
export interface CommonExtendedNegotiation {
  readonly sopClassUid: string;
  readonly serviceClassUid: string;
  readonly relatedGeneralSopClassUids: readonly string[];
}

/** Asynchronous operations window (PS3.7 §D.3.3.3): 0 means unlimited. */
export interface OperationsWindow {
  readonly maxInvoked: number;
  readonly maxPerformed: number;
}

/** User identity (PS3.7 §D.3.3.7). 1 user name, 2 user name and passcode, 3 Kerberos, 4 SAML, 5 JSON Web Token. */
export interface UserIdentity {
  readonly type: number;
  readonly positiveResponseRequested: boolean;
  readonly primaryField: Buffer;
  readonly secondaryField: Buffer;
}

export interface AssociationRequest {
  readonly protocolVersion: number;
  readonly applicationContext: string;
  readonly callingAet: string;
  readonly calledAet: string;
  readonly presentationContexts: readonly ProposedContext[];
  /** Largest P-DATA PDU the peer takes; 0 means no limit. */
  readonly maxPduBytes: number;
  readonly implementationClassUid: string;
  readonly implementationVersion: string;
  readonly operationsWindow?: OperationsWindow;
  readonly roles: readonly RoleSelection[];
  readonly extendedNegotiations: readonly ExtendedNegotiation[];
  readonly commonExtendedNegotiations: readonly CommonExtendedNegotiation[];
  readonly userIdentity?: UserIdentity;
}
