// What is attached to an association when it is accepted.
import { HeaderMemory } from '@perennia/dicom-stream';
import type { SourceProfile, TransferTrace } from '@perennia/ingest-pipeline';

export interface SenderSession {
  profile: SourceProfile;
  memory: HeaderMemory;
  /** While telemetry is on. */
  trace: TransferTrace | undefined;
}

export function senderSession(profile: SourceProfile, trace?: TransferTrace): SenderSession {
  return { profile, memory: new HeaderMemory(), trace };
}
