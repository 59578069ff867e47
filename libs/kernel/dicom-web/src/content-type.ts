// The Content-Type of a request that carries multipart/related (RFC 2387, PS3.18 §8.7.1).
import { DicomWebError } from './dicom-web-error.js';
import { parseParameterizedValue } from './parameterized-value.js';

export interface MultipartContentType {
  boundary: string;
  /** Type of the root part, lower case. */
  partType: string;
}

// RFC 2046 §5.1.1; a space at the end is not allowed.
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

/** @returns null when it is some other media type; @throws DicomWebError when it is multipart/related without what that needs */
export function parseMultipartContentType(header: string | undefined): MultipartContentType | null {
  const parsed = header === undefined ? null : parseParameterizedValue(header);
  if (parsed?.value !== 'multipart/related') {
    if (header?.trim().toLowerCase().startsWith('multipart/related')) throw new DicomWebError('syntax', 'Content-Type has malformed parameters');
    return null;
  }
  const boundary = parsed.parameters.get('boundary');
  if (boundary === undefined || !BOUNDARY.test(boundary)) {
    throw new DicomWebError('syntax', 'Content-Type multipart/related needs a boundary of 1 to 70 characters');
  }
  const partType = parsed.parameters.get('type');
  // PS3.18 requires `type`; curl users forget it, and the parts name their own type.
  return { boundary, partType: (partType ?? 'application/dicom').split(';')[0]!.trim().toLowerCase() };
}
