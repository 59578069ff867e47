// Which presentation contexts are taken for storage: any storage SOP class, private and unknown ones too, in the transfer syntax
// the sender proposes first. Nothing is ever transcoded on entry.
import { ContextResult, type ContextRejection } from '@perennia/dicom-net';
import type { SourceProfile } from '../source-profile.js';

const VERIFICATION = '1.2.840.10008.1.1';
const DICOM_ROOT = '1.2.840.10008.';

/** Storage classes of the standard outside the 5.1.4.1.1 tree: PS3.4 Annex GG (non-patient objects) and RT delivery instructions. */
const otherStorageClasses = new Set([
  '1.2.840.10008.5.1.4.34.7',
  '1.2.840.10008.5.1.4.34.10',
  '1.2.840.10008.5.1.4.38.1',
  '1.2.840.10008.5.1.4.39.1',
  '1.2.840.10008.5.1.4.43.1',
  '1.2.840.10008.5.1.4.44.1',
  '1.2.840.10008.5.1.4.45.1',
]);

export function isStorageClass(abstractSyntax: string): boolean {
  if (!abstractSyntax.startsWith(DICOM_ROOT)) return true;
  return abstractSyntax.startsWith('1.2.840.10008.5.1.4.1.1.') || otherStorageClasses.has(abstractSyntax);
}

/** The answer to a context of an association that stores. */
export function acceptStorage(abstractSyntax: string, transferSyntaxes: readonly string[], profile: SourceProfile): string | ContextRejection {
  if (profile.unknownSopClasses === 'refuse' && !abstractSyntax.startsWith(DICOM_ROOT)) return ContextResult.abstractSyntaxNotSupported;
  if (abstractSyntax !== VERIFICATION && !isStorageClass(abstractSyntax)) return ContextResult.abstractSyntaxNotSupported;
  return transferSyntaxes[0] ?? ContextResult.transferSyntaxesNotSupported;
}
