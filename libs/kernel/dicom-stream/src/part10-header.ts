// What stands before the dataset of a DICOM file (PS3.10 §7.1).

export interface Part10Header {
  /** How the beginning was recognised: the standard's way, File Meta Information without preamble, or a bare dataset. */
  form: 'part10' | 'meta-without-preamble' | 'bare-dataset';
  /** The 128 bytes before `DICM`, where they are not all zero; may hold anything (PS3.10 §7.5), so never serve it unseen. */
  preamble: Buffer | null;
  /** Bytes before the dataset. */
  datasetOffset: number;
  /** As the File Meta Information says; guessed from the first element for a bare dataset. */
  transferSyntaxUid: string;
  /** '' where absent, as all below. */
  mediaStorageSopClassUid: string;
  mediaStorageSopInstanceUid: string;
  implementationClassUid: string;
  implementationVersionName: string;
  sourceAet: string;
  warnings: string[];
}
