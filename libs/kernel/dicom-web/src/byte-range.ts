// The Range request header (RFC 9110 §14.2), one range: what viewers ask of bulk data and video.

export interface ByteRange {
  offset: number;
  length: number;
}

/** @returns null: answer with the whole (absent, another unit, malformed or several ranges); 'unsatisfiable': 416 */
export function parseByteRange(header: string | undefined, totalBytes: number): ByteRange | 'unsatisfiable' | null {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return null;
  if (match[1] === '') {
    const length = Math.min(Number(match[2]), totalBytes);
    return length === 0 ? 'unsatisfiable' : { offset: totalBytes - length, length };
  }
  const offset = Number(match[1]);
  const last = match[2] === '' ? totalBytes - 1 : Math.min(Number(match[2]), totalBytes - 1);
  if (match[2] !== '' && Number(match[2]) < offset) return null;
  return offset >= totalBytes ? 'unsatisfiable' : { offset, length: last - offset + 1 };
}
