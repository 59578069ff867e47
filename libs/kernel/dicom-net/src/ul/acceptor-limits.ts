// What one acceptor lets peers do. Each default protects the archive and is tested at the limit and one above.

export interface AcceptorLimits {
  /** Associations at once, all peers. One more is rejected 2/3/2. Default 300. */
  readonly maxAssociations: number;
  /** Associations at once of one calling AE title. One more is rejected 2/3/2. Default 32. */
  readonly maxAssociationsPerCallingAet: number;
  /** Connections that have not yet sent their whole request. One more is closed unread. Default 1024. */
  readonly maxPendingConnections: number;
  /** Largest A-ASSOCIATE-RQ. Default 256 KiB. */
  readonly maxAssociateRequestBytes: number;
  /** Presentation contexts of one request. Default and bound 128, all that odd one-byte ids allow. */
  readonly maxPresentationContexts: number;
  /** Largest P-DATA PDU we announce and take, as in the PDU length field. Default 131072. */
  readonly maxPduBytes: number;
  /** Largest command set of a DIMSE message. Default 64 KiB. */
  readonly maxCommandBytes: number;
  /** Largest identifier of a query; one above it is read to its end and answered C000. Default 64 KiB. */
  readonly maxIdentifierBytes: number;
  /** Largest information of an N-ACTION or N-EVENT-REPORT; one above it is read to its end and answered 0213. Default 4 MiB. */
  readonly maxInformationBytes: number;
  /** How often the peer of a C-MOVE or C-GET is told of its progress, at most. Default 1 s. */
  readonly pendingIntervalMs: number;
  /** How long a cancelled C-MOVE or C-GET may take to count what was done. Default 500 ms. */
  readonly cancelGraceMs: number;
  /** Cap of the asynchronous operations window granted; requests beyond the window wait in the socket. Default 32. */
  readonly maxOperations: number;
  /** From connection to the complete A-ASSOCIATE-RQ, and until a peer closes after rejection or release (ARTIM). Default 10 s. */
  readonly artimMs: number;
  /** Silence between messages while nothing of the peer is being worked on, and time for it to take answers that wait. Default 60 s. */
  readonly idleMs: number;
  /** Silence in the middle of a PDU. Default 10 s. */
  readonly byteGapMs: number;
  /** A message that arrives slower than this over a whole window is aborted. Default 1 KiB/s. */
  readonly minBytesPerSecond: number;
  /** Length of the window over which the rate is measured. Default 10 s. */
  readonly minRateWindowMs: number;
  /** While we are stopping: silence after which an association on which nothing is under way is ended. Default 500 ms. */
  readonly drainIdleMs: number;
  /** How long an aborted peer may keep its socket. Default 500 ms. */
  readonly abortLingerMs: number;
}

export const DEFAULT_ACCEPTOR_LIMITS: AcceptorLimits = {
  maxAssociations: 300,
  maxAssociationsPerCallingAet: 32,
  maxPendingConnections: 1024,
  maxAssociateRequestBytes: 256 * 1024,
  maxPresentationContexts: 128,
  maxPduBytes: 128 * 1024,
  maxCommandBytes: 64 * 1024,
  maxIdentifierBytes: 64 * 1024,
  maxInformationBytes: 4 * 1024 * 1024,
  pendingIntervalMs: 1000,
  cancelGraceMs: 500,
  maxOperations: 32,
  artimMs: 10_000,
  idleMs: 60_000,
  byteGapMs: 10_000,
  minBytesPerSecond: 1024,
  minRateWindowMs: 10_000,
  drainIdleMs: 500,
  abortLingerMs: 500,
};
