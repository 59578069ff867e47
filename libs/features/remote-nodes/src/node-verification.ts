// What a verification of a remote node found, stage by stage.

/** In this order; `tls` only where the node has it. */
export type VerificationStage = 'dns' | 'tcp' | 'tls' | 'association' | 'echo';

export interface StageResult {
  readonly stage: VerificationStage;
  readonly ok: boolean;
  readonly durationMs: number;
  /** What was found, in words. */
  readonly found: string;
  /** Where it failed: what a person can do. */
  readonly remedy?: string;
}

export interface RefusedContext {
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
  /** Result of PS3.8 Table 9-18, 1 to 4; undefined where the node left it unanswered. */
  readonly result: number | undefined;
  /** The same in words. */
  readonly reason: string;
}

export interface NodeVerification {
  readonly ok: boolean;
  /** Those that were tried: the last one failed, or all are there. */
  readonly stages: readonly StageResult[];
  readonly refusedContexts: readonly RefusedContext[];
}
