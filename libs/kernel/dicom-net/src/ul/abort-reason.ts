// Why an association was aborted: source and reason of an A-ABORT (PS3.8 §9.3.8, Table 9-26).

export interface AssociationAbort {
  /** 0 the service user (the application) gave up, 2 the service provider (the protocol layer) did. */
  readonly source: number;
  /** Means something only when the source is 2. */
  readonly reason: number;
}

export const Abort = {
  byUser: { source: 0, reason: 0 },
  notSpecified: { source: 2, reason: 0 },
  unrecognizedPdu: { source: 2, reason: 1 },
  unexpectedPdu: { source: 2, reason: 2 },
  unrecognizedPduParameter: { source: 2, reason: 4 },
  unexpectedPduParameter: { source: 2, reason: 5 },
  invalidPduParameter: { source: 2, reason: 6 },
} as const satisfies Record<string, AssociationAbort>;

const SENTENCES: Readonly<Record<number, string>> = {
  0: 'reason not specified',
  1: 'unrecognised PDU',
  2: 'unexpected PDU',
  4: 'unrecognised PDU parameter',
  5: 'unexpected PDU parameter',
  6: 'invalid PDU parameter value',
};

export function describeAbort(abort: AssociationAbort): string {
  if (abort.source === 0) return 'aborted by the application';
  return `aborted by the protocol layer: ${SENTENCES[abort.reason] ?? `undefined reason ${abort.reason}`}`;
}
