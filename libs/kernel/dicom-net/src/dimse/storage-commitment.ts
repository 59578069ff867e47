// Names and numbers of the Storage Commitment Push Model (PS3.4 §J.3).

export const StorageCommitment = {
  sopClassUid: '1.2.840.10008.1.20.1',
  /** The well-known instance that N-ACTION and N-EVENT-REPORT are about (PS3.4 §J.3.5). */
  sopInstanceUid: '1.2.840.10008.1.20.1.1',
  /** Action type of a request for commitment (PS3.4 Table J.3-1). */
  requestActionTypeId: 1,
  /** Event type when every instance is committed (PS3.4 Table J.3-2). */
  successfulEventTypeId: 1,
  /** Event type when failures exist. */
  failuresExistEventTypeId: 2,
} as const;
