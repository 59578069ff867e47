// Warning headers of DICOMweb answers: `299 {agent}: "text"` (PS3.18 §8.3.4, RFC 7234 §5.5).

const AGENT = 'Perennia';

/** @param texts plain sentences; anything that cannot stand in a header is replaced */
export function warningHeader(texts: readonly string[]): string {
  return texts.map((text) => `299 ${AGENT} "${text.replace(/[\\"]/g, "'").replace(/[^\x20-\x7e]/g, '?')}"`).join(', ');
}
