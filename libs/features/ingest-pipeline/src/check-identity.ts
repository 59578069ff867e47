// Whether an object says who it is. Lenient about everything else: what is odd but identifiable is stored.
import { isValidUid } from '@perennia/dicom-data';
import { isHarmlessPreamble, type HeaderSummary, type Part10Header } from '@perennia/dicom-stream';
import type { ReceiveContext } from './receive-context.js';
import { Refusal } from './refusal.js';

const identity = [
  ['sopClassUid', 'SOP Class UID (0008,0016)'],
  ['sopInstanceUid', 'SOP Instance UID (0008,0018)'],
  ['studyInstanceUid', 'Study Instance UID (0020,000D)'],
  ['seriesInstanceUid', 'Series Instance UID (0020,000E)'],
] as const;

/**
 * @returns a warning in plain words, or undefined
 * @throws Refusal when a UID is missing or invalid, or command, File Meta or URL disagree with the data set
 */
export function checkIdentity(summary: HeaderSummary, context: ReceiveContext, header: Part10Header | undefined): string | undefined {
  for (const [key, name] of identity) {
    const uid = summary[key];
    if (uid === '') throw new Refusal('MISSING_UID', `${name} is missing or empty.`);
    if (!isValidUid(uid)) throw new Refusal('INVALID_UID', `${name} is not a valid UID.`);
  }
  checkCommand(summary, context);
  if (context.expectedStudyInstanceUid !== undefined && context.expectedStudyInstanceUid !== summary.studyInstanceUid) {
    throw new Refusal('STUDY_MISMATCH', 'The object belongs to another study than the one in the URL.');
  }
  return warningOf(summary, header);
}

function checkCommand(summary: HeaderSummary, { command }: ReceiveContext): void {
  if (!command) return;
  if (command.sopInstanceUid !== summary.sopInstanceUid) {
    throw new Refusal('COMMAND_MISMATCH', 'Affected SOP Instance UID of the command and SOP Instance UID of the data set differ.');
  }
  if (command.sopClassUid !== summary.sopClassUid) {
    throw new Refusal('COMMAND_MISMATCH', 'Affected SOP Class UID of the command and SOP Class UID of the data set differ.');
  }
}

function warningOf(summary: HeaderSummary, header: Part10Header | undefined): string | undefined {
  const warnings = [...summary.warnings, ...(header?.warnings ?? [])];
  if (header?.mediaStorageSopInstanceUid && header.mediaStorageSopInstanceUid !== summary.sopInstanceUid) {
    warnings.push('Media Storage SOP Instance UID (0002,0003) differs from the data set; the data set counts.');
  }
  if (header?.preamble && !isHarmlessPreamble(header.preamble)) warnings.push('The preamble is neither empty nor TIFF; it is kept, and served as zeros.');
  return warnings.length > 0 ? warnings.join(' ') : undefined;
}
