// What is attached to an association when it is accepted.
import { HeaderMemory } from '@perennia/dicom-stream';
import type { SourceProfile } from '@perennia/ingest-pipeline';

export interface SenderSession {
  profile: SourceProfile;
  memory: HeaderMemory;
}

export function senderSession(profile: SourceProfile): SenderSession {
  return { profile, memory: new HeaderMemory() };
}
