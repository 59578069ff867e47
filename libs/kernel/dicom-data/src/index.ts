export { isPrivateTag, parseTag, tagKey, type Tag } from './tag.js';
export { hasLongForm, isKnownVr, unitBytes, VR, vrCode, vrName, type VrCode } from './vr.js';
export { isValidUid } from './uid.js';
export { keywordOfTag, lookupTag, tagOfKeyword, type DictionaryEntry } from './dictionary.js';
export {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, ENCAPSULATED_UNCOMPRESSED, EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN, isKnownTransferSyntax, transferSyntaxOf, type TransferSyntax,
} from './transfer-syntax.js';
export { DicomParseError, type DicomParseErrorCode } from './dicom-parse-error.js';
export { parsePersonName, searchName, type PersonName } from './person-name.js';
export { parseDa, parseTm } from './date-time.js';
export { CharacterSet, isAffectedByCharacterSet } from './character-set.js';
export { textEncodingOf, UTF_8, type TextEncoding } from './text-encoding.js';
export { elementToJson, isBinaryVr, littleEndian, textToJson, type ValueEncoding } from './element-json.js';
export { Dataset, Fragments, type Element, type ElementValue } from './dataset.js';
export { writeDataset } from './dataset-writer.js';
export { datasetOfJson, personNameText } from './json-dataset.js';
export { nativeModelXml } from './native-model-xml.js';
