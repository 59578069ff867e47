// What a search asks for, typed and independent of how it was written: QIDO-RS parameters and C-FIND identifiers both become
// conditions (PS3.4 §C.2.2.2, PS3.18 §8.3.4.1).

/** Tags from the dataset down to the attribute, eight upper-case hex digits each; more than one: inside sequences. */
export type TagPath = readonly string[];

export type Match =
  /** Matches everything; the attribute is returned. */
  | { kind: 'universal' }
  /** Any of the values. With `wildcards`, `*` and `?` in them stand for any characters and any one character. */
  | { kind: 'values'; values: readonly string[]; wildcards: boolean }
  /**
   * Both ends included; absent: open. Dates `YYYYMMDD`, times `HHMMSS.FFFFFF`, date-times the two joined. A time range whose
   * `from` is after its `to` goes over midnight.
   */
  | { kind: 'range'; from?: string; to?: string };

export interface Condition {
  path: TagPath;
  vr: string;
  match: Match;
}

/** A date and a time attribute matched as one point in time (PS3.4 §C.2.2.2.5): ends are `YYYYMMDDHHMMSS.FFFFFF`. */
export interface CombinedCondition {
  datePath: TagPath;
  timePath: TagPath;
  from?: string;
  to?: string;
}
