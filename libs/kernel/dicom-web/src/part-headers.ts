// The header lines of one part of a multipart body (RFC 2046 §5.1.2, RFC 5322 §2.2).
import { DicomWebError } from './dicom-web-error.js';

/** Names in lower case. */
export type PartHeaders = ReadonlyMap<string, string>;

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** @param block the lines, each preceded by its CRLF or the first without one */
export function parsePartHeaders(block: Buffer): PartHeaders {
  const headers = new Map<string, string>();
  const text = block.toString('latin1').replace(/^\r\n/, '').replace(/\r\n[ \t]+/g, ' ');
  if (text === '') return headers;
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (!NAME.test(name)) throw new DicomWebError('syntax', 'A part has a malformed header line');
    if (headers.has(name)) throw new DicomWebError('syntax', `A part has the header ${name} twice`);
    headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}
