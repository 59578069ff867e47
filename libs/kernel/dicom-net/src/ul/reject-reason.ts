// Why an association was refused: the three numbers of an A-ASSOCIATE-RJ (PS3.8 §9.3.4, Table 9-21).

export interface AssociationRejection {
  /** 1 rejected for good, 2 rejected for now (trying again may succeed). */
  readonly result: 1 | 2;
  /** 1 service user, 2 service provider (ACSE), 3 service provider (presentation). */
  readonly source: 1 | 2 | 3;
  readonly reason: number;
}

/** Every combination the standard defines, by name. */
export const Rejection = {
  noReason: { result: 1, source: 1, reason: 1 },
  applicationContextNotSupported: { result: 1, source: 1, reason: 2 },
  callingAetNotRecognized: { result: 1, source: 1, reason: 3 },
  calledAetNotRecognized: { result: 1, source: 1, reason: 7 },
  providerNoReason: { result: 1, source: 2, reason: 1 },
  protocolVersionNotSupported: { result: 1, source: 2, reason: 2 },
  temporaryCongestion: { result: 2, source: 3, reason: 1 },
  localLimitExceeded: { result: 2, source: 3, reason: 2 },
} as const satisfies Record<string, AssociationRejection>;

const SENTENCES: Readonly<Record<string, string>> = {
  '1/1': 'no reason given',
  '1/2': 'the application context is not supported',
  '1/3': 'the calling AE title is not recognised',
  '1/7': 'the called AE title is not recognised',
  '2/1': 'no reason given by the protocol layer',
  '2/2': 'the protocol version is not supported',
  '3/1': 'temporary congestion',
  '3/2': 'a local limit is exceeded',
};

/** One plain sentence part for people, for example in an error or a log line. */
export function describeRejection(rejection: AssociationRejection): string {
  const why = SENTENCES[`${rejection.source}/${rejection.reason}`] ?? `undefined reason ${rejection.source}/${rejection.reason}`;
  return `rejected ${rejection.result === 2 ? 'for now' : 'for good'}: ${why}`;
}
