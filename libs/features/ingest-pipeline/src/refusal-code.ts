// Why an object is refused, and the status each protocol has for it.
// C-STORE: PS3.4 Table B.2-1 (A7xx out of resources, A9xx data set does not match SOP class, Cxxx cannot understand).

interface RefusalStatus {
  dimseStatus: number;
  /** Failure Reason (0008,1197), PS3.18 Table I.2-2: same numbers. */
  failureReason: number;
}
const outOfResources: RefusalStatus = { dimseStatus: 0xa700, failureReason: 0xa700 };
const mismatch: RefusalStatus = { dimseStatus: 0xa900, failureReason: 0xa900 };
const notUnderstood: RefusalStatus = { dimseStatus: 0xc000, failureReason: 0xc000 };
const processingFailure: RefusalStatus = { dimseStatus: 0x0110, failureReason: 0x0110 };

export const refusalStatuses = {
  NOT_DICOM: notUnderstood,
  MALFORMED_DATASET: notUnderstood,
  TRUNCATED_DATASET: notUnderstood,
  LIMIT_EXCEEDED: notUnderstood,
  MISSING_UID: mismatch,
  INVALID_UID: mismatch,
  COMMAND_MISMATCH: mismatch,
  STUDY_MISMATCH: mismatch,
  STORE_FULL: outOfResources,
  STORE_UNAVAILABLE: outOfResources,
  INTERNAL: processingFailure,
} as const satisfies Record<string, RefusalStatus>;

export type RefusalCode = keyof typeof refusalStatuses;
