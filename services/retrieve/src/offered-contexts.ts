// What peers may ask the retrieve service for: queries, verification, and storage where it is wanted on the same association.
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN,
} from '@perennia/dicom-data';
import { ContextResult, isQueryRetrieveSopClass, QUERY_SOP_CLASSES, type ContextRejection, type QueryExtensions } from '@perennia/dicom-net';
import { acceptStorage } from '@perennia/ingest-pipeline/dimse';

/** In which identifiers are read and written, the best first: explicit ones say what a value is. */
const IDENTIFIER_SYNTAXES = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN];

export function acceptContext(abstractSyntax: string, transferSyntaxes: readonly string[]): string | ContextRejection {
  if (!isQueryRetrieveSopClass(abstractSyntax)) return acceptStorage(abstractSyntax, transferSyntaxes);
  if (!QUERY_SOP_CLASSES.has(abstractSyntax)) return ContextResult.abstractSyntaxNotSupported;
  return IDENTIFIER_SYNTAXES.find((each) => transferSyntaxes.includes(each)) ?? ContextResult.transferSyntaxesNotSupported;
}

/** What C-FIND can do beyond the baseline (PS3.4 §C.5.1.1). */
export const acceptQueryExtensions = (): QueryExtensions => ({
  relationalQueries: true, dateTimeMatching: true, fuzzySemanticMatching: false, timezoneQueryAdjustment: false,
});
