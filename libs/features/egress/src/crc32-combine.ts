// The CRC-32 of two texts joined, from theirs: the remainder of the first is shifted by the length of the second (a
// multiplication by x^8n in GF(2)[x] modulo the polynomial of RFC 1952 §8), then added to that of the second.

const POLYNOMIAL = 0xedb88320;
/** The polynomial 1; bit 31 stands for x^0. */
const ONE = 0x80000000;

/** Product of two polynomials modulo the CRC's. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if (a & bit) product ^= shifted;
    shifted = shifted & 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product >>> 0;
}

/** x^(8·2^k) for every k that a length can have. */
const POWERS: number[] = [0x00800000];
for (let index = 1; index < 53; index++) POWERS.push(multiply(POWERS[index - 1]!, POWERS[index - 1]!));

/** What a remainder is multiplied by when `bytes` more follow. */
export function crc32Shift(bytes: number): number {
  let shift = ONE;
  let rest = bytes;
  for (let index = 0; rest > 0; index++, rest = Math.floor(rest / 2)) if (rest % 2 === 1) shift = multiply(POWERS[index]!, shift);
  return shift >>> 0;
}

/** @param shift crc32Shift of the second text's length */
export function crc32Combine(first: number, second: number, shift: number): number {
  return (multiply(shift, first) ^ second) >>> 0;
}
