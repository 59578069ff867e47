// What peers may ask the retrieve service for: queries, retrieval, storage commitment, verification, and storage where it is wanted on the same association.
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN,
} from '@perennia/dicom-data';
import { ContextResult, isQueryRetrieveSopClass, StorageCommitment, type ContextRejection, type QueryExtensions, type RoleSelection } from '@perennia/dicom-net';
import type { SourceProfile } from '@perennia/ingest-pipeline';
import { acceptStorage, isStorageClass } from '@perennia/ingest-pipeline/dimse';

/** In which identifiers are read and written, the best first: explicit ones say what a value is. */
const IDENTIFIER_SYNTAXES = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN];

export function acceptContext(abstractSyntax: string, transferSyntaxes: readonly string[], profile: SourceProfile): string | ContextRejection {
  if (!isQueryRetrieveSopClass(abstractSyntax) && abstractSyntax !== StorageCommitment.sopClassUid) return acceptStorage(abstractSyntax, transferSyntaxes, profile);
  if (!profile.mayRead && isQueryRetrieveSopClass(abstractSyntax)) return ContextResult.userRejection;
  return IDENTIFIER_SYNTAXES.find((each) => transferSyntaxes.includes(each)) ?? ContextResult.transferSyntaxesNotSupported;
}

/** Who asks by C-GET takes objects in as SCP on its own association (PS3.7 §D.3.3.4); storing to us stays possible. */
export const acceptRole = ({ sopClassUid }: RoleSelection): { scu: boolean; scp: boolean } => ({ scu: true, scp: isStorageClass(sopClassUid) });

/** What C-FIND can do beyond the baseline (PS3.4 §C.5.1.1). */
export const acceptQueryExtensions = (): QueryExtensions => ({
  relationalQueries: true, dateTimeMatching: true, fuzzySemanticMatching: false, timezoneQueryAdjustment: false,
});
