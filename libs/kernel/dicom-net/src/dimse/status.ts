// DIMSE status codes we send or understand (PS3.7 Annex C, PS3.4 §B.2.3, §C.4.1.1.4, §C.4.2.1.5, §C.4.3.1.4 and §GG) and what they mean.

export const DimseStatus = {
  success: 0x0000,
  processingFailure: 0x0110,
  noSuchSopInstance: 0x0112,
  noSuchEventType: 0x0113,
  invalidArgumentValue: 0x0115,
  invalidSopInstance: 0x0117,
  noSuchSopClass: 0x0118,
  classInstanceConflict: 0x0119,
  sopClassNotSupported: 0x0122,
  duplicateInvocation: 0x0210,
  /** More operations than were agreed on. */
  resourceLimitation: 0x0213,
  unrecognizedOperation: 0x0211,
  mistypedArgument: 0x0212,
  noSuchAction: 0x0123,
  notAuthorized: 0x0124,
  outOfResources: 0xa700,
  unableToCalculateMatches: 0xa701,
  unableToPerformSubOperations: 0xa702,
  moveDestinationUnknown: 0xa801,
  dataSetDoesNotMatchSopClass: 0xa900,
  /** What A900 is called where the dataset is an identifier (PS3.4 §C.4.1.1.4). */
  identifierDoesNotMatchSopClass: 0xa900,
  cannotUnderstand: 0xc000,
  /** What C000 is called in the Query/Retrieve service class (PS3.4 §C.4.1.1.4). */
  unableToProcess: 0xc000,
  coercionOfDataElements: 0xb000,
  /** What B000 is called where objects are retrieved (PS3.4 §C.4.2.1.5). */
  subOperationsWithFailures: 0xb000,
  elementsDiscarded: 0xb006,
  dataSetDoesNotMatchSopClassWarning: 0xb007,
  pending: 0xff00,
  /** Matches go on, and one or more optional keys were not supported (PS3.4 §C.4.1.1.4). */
  pendingWithUnsupportedKeys: 0xff01,
  cancelled: 0xfe00,
} as const;

export type StatusCategory = 'success' | 'warning' | 'failure' | 'pending' | 'cancel';

/** PS3.7 §C.1 to C.5: the category follows from the number alone. */
export function statusCategory(status: number): StatusCategory {
  if (status === 0) return 'success';
  if (status === 0xff00 || status === 0xff01) return 'pending';
  if (status === 0xfe00) return 'cancel';
  if (status === 0x0001 || status === 0x0107 || status === 0x0116 || status >> 12 === 0xb) return 'warning';
  return 'failure';
}
