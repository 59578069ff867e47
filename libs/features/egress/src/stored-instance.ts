// What is needed of an instance to give it back.
import type { FrameIndex, Place } from '@perennia/contracts';

export interface StoredCopy {
  copyNumber: number;
  place: Place;
  /** Nobody has compared its bytes with their digest for a while: who gives them out does so first. `from`: first byte that the digest is of. */
  unproven?: { sha256: string; from: number };
}

export interface StoredInstance {
  id: string;
  bucket: number;
  studyInstanceUid: string;
  seriesInstanceUid: string;
  sopInstanceUid: string;
  sopClassUid: string;
  transferSyntaxUid: string;
  objectLength: number;
  datasetOffset: number;
  headerLength: number;
  /** The copy to read: replaced when it moved or turned out to be bad. */
  copy: StoredCopy;
}

export interface FramedInstance extends StoredInstance {
  numberOfFrames: number;
  frameIndex: FrameIndex;
  bitsAllocated: number | null;
}

export interface StoredSeries {
  id: string;
  bucket: number;
  studyInstanceUid: string;
  seriesInstanceUid: string;
  version: number;
  /** Key of the prebuilt metadata, when it is of this version. */
  metadataKey: string | null;
}
