// The 128 bytes before `DICM` may hold anything (PS3.10 §7.1), so that one file can be an image and a program at once (CVE-2019-11687).
// Zeros are harmless, and the header of a TIFF file, which the standard has in mind. All else is kept as received, and served as zeros.

export const PREAMBLE_BYTES = 128;

/** @param preamble at least its first 4 bytes */
export function isHarmlessPreamble(preamble: Uint8Array): boolean {
  const [a, b, c, d] = preamble;
  const isTiff = (a === 0x49 && b === 0x49 && c === 0x2a && d === 0) || (a === 0x4d && b === 0x4d && c === 0 && d === 0x2a);
  return isTiff || preamble.subarray(0, PREAMBLE_BYTES).every((byte) => byte === 0);
}

/** Overwrites a preamble that is not harmless. @param object begins with its preamble, all of it */
export function disarmPreamble(object: Uint8Array): void {
  if (!isHarmlessPreamble(object)) object.fill(0, 0, PREAMBLE_BYTES);
}
