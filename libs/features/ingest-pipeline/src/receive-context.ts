// What is known about an object before its first byte, and what its sender is told at the end.
import type { ReceiptSource } from '@perennia/contracts';
import type { HeaderMemory } from '@perennia/dicom-stream';
import type { AppendBatch } from '@perennia/storage';
import type { RefusalCode } from './refusal-code.js';
import type { SourceProfile } from './source-profile.js';

export interface ReceiveContext {
  road: 'dimse' | 'stow' | 'import';
  profile: SourceProfile;
  /** Who sent it; `kind` and `profile` are filled in here. */
  source: Omit<ReceiptSource, 'kind' | 'profile'>;
  /** DIMSE: the dataset comes bare and these come with the command. Absent: the bytes are a Part 10 file. */
  command?: { sopClassUid: string; sopInstanceUid: string; transferSyntaxUid: string };
  /** Of the association or connection the object comes by; absent: each object is read by itself. */
  memory?: HeaderMemory;
  /** Of the request the object comes in with others, which are answered together. */
  batch?: AppendBatch;
  /** STOW-RS to /studies/{uid}: another study is refused. */
  expectedStudyInstanceUid?: string;
  /** Of the span in which it is stored, when its way is recorded. */
  traceparent?: string;
}

export interface StoredOutcome {
  outcome: 'stored';
  receiptId: string;
  bucket: number;
  sopClassUid: string;
  transferSyntaxUid: string;
  sopInstanceUid: string;
  studyInstanceUid: string;
  seriesInstanceUid: string;
  /** What is odd about the object, in plain words; it is stored all the same. */
  warning?: string;
}

export interface RefusedOutcome {
  outcome: 'refused';
  reasonCode: RefusalCode;
  /** Status of a C-STORE response (PS3.4 Table B.2-1). */
  dimseStatus: number;
  /** Failure Reason (0008,1197) of a STOW-RS answer (PS3.18 Table I.2-2). */
  failureReason: number;
  /** Plain words without patient data. */
  message: string;
  sopClassUid?: string;
  sopInstanceUid?: string;
}
export type ReceiveOutcome = StoredOutcome | RefusedOutcome;

/** Takes one object. The bytes of a chunk are taken before `write` returns: its memory may be used again at once. */
export interface ObjectSink {
  /** A promise asks the caller to wait before it gives more. Never throws for bad input: that is told by `end`. */
  write(chunk: Buffer): void | Promise<void>;
  /** Resolves when the object is durable, or refused. */
  end(): Promise<ReceiveOutcome>;
  /** The sender is gone: nothing of the object stays. */
  abort(): void;
}
