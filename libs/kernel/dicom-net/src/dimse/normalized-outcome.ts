// How an N-ACTION or N-EVENT-REPORT ended (PS3.7 §10.1.4, §10.1.1).

export interface NormalizedOutcome {
  readonly status: number;
  /** At most 64 characters are sent (PS3.7 §C.4: LO); never patient data. */
  readonly errorComment?: string;
  /** Action Reply or Event Reply: a whole dataset in the transfer syntax of the request, where there is one. */
  readonly reply?: Buffer;
}
