// What is attached to an association when it is accepted.
import { HeaderMemory } from '@perennia/dicom-stream';
import type { SourceProfile } from '../source-profile.js';
import type { TransferTrace } from '../transfer-trace.js';

export interface SenderSession {
  profile: SourceProfile;
  memory: HeaderMemory;
  /** While telemetry is on. */
  trace: TransferTrace | undefined;
}

export function senderSession(profile: SourceProfile, trace?: TransferTrace): SenderSession {
  return { profile, memory: new HeaderMemory(), trace };
}
