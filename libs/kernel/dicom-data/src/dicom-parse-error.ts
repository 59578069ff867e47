// The only error of the DICOM kernel: what was received is not DICOM, or is beyond a limit. `reason` is plain words and
// never holds a value of the dataset, so that it may be logged and sent to the peer.

export type DicomParseErrorCode =
  /** The bytes end inside an element, item or sequence. */
  | 'TRUNCATED'
  /** Structure that no reader can follow. */
  | 'MALFORMED'
  /** Deeper, longer or more than the limits allow. */
  | 'LIMIT_EXCEEDED'
  /** Not a DICOM file by any rule of the Part 10 reader. */
  | 'NOT_DICOM'
  /** The compressed dataset cannot be inflated. */
  | 'BAD_DEFLATE';

export class DicomParseError extends Error {
  readonly code: DicomParseErrorCode;
  readonly reason: string;

  constructor(code: DicomParseErrorCode, reason: string) {
    super(reason);
    this.name = 'DicomParseError';
    this.code = code;
    this.reason = reason;
  }
}
