export { IMPLICIT_VR_LITTLE_ENDIAN, isKnownTransferSyntax, transferSyntaxOf, type TransferSyntax } from '@perennia/dicom-data';
export { CAPTURE, DESCEND, SKIP, STOP, UNDEFINED_LENGTH, type ElementAction, type ElementVisitor } from './element-visitor.js';
export { ElementReader, type ElementReaderOptions } from './element-reader.js';
export { DEFAULT_READER_LIMITS, type ReaderLimits } from './reader-limits.js';
export { decodeFrameRanges, encodeFrameRanges, frameRange, type FrameRange } from './frame-ranges.js';
export { HeaderTap, type HeaderTapOptions } from './header-tap.js';
export { type HeaderSummary } from './header-summary.js';
export { INDEX_ATTRIBUTES, type IndexAttribute, type IndexLevel } from './index-attributes.js';
