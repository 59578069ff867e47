// Attribute names in query parameters (PS3.18 §8.3.4.1): a keyword, eight hex digits, or several joined by dots for an
// attribute inside sequences.
import { lookupTag, tagKey, tagOfKeyword } from '@perennia/dicom-data';
import { DicomWebError } from './dicom-web-error.js';
import type { TagPath } from './condition.js';

export interface NamedAttribute {
  path: TagPath;
  /** `UN` where the dictionary does not know the tag. */
  vr: string;
}

const TAG = /^[0-9A-Fa-f]{8}$/;
const MAX_DEPTH = 8;

/** @throws DicomWebError when a piece is neither a known keyword nor a tag, or the path leads through something else than sequences */
export function parseTagPath(name: string): NamedAttribute {
  const pieces = name.split('.');
  if (pieces.length > MAX_DEPTH) throw new DicomWebError('limit', `An attribute path has more than ${MAX_DEPTH} levels`);
  const tags = pieces.map((piece) => {
    const tag = TAG.test(piece) ? Number.parseInt(piece, 16) : tagOfKeyword(piece);
    if (tag === undefined) throw new DicomWebError('syntax', `${JSON.stringify(name.slice(0, 64))} is neither a parameter nor a DICOM attribute`);
    return tag;
  });
  const vrs = tags.map((tag) => lookupTag(tag)?.vr ?? 'UN');
  if (vrs.slice(0, -1).some((vr) => vr !== 'SQ' && vr !== 'UN')) throw new DicomWebError('syntax', `${name.slice(0, 64)} leads through an attribute that is no sequence`);
  return { path: tags.map(tagKey), vr: vrs.at(-1)! };
}
