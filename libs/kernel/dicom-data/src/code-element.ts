// The code elements of ISO 2022 that PS3.3 §C.12.1.1.2 allows, and how the bytes of each become Unicode.

/** How the bytes of one code element are read. All bytes given to `decode` belong to it. */
export interface CodeElement {
  /** Bytes of one character. */
  width: 1 | 2;
  decode(bytes: Uint8Array): string;
}

function single(label: string): CodeElement {
  return { width: 1, decode: decoderOf(label) };
}
function decoderOf(label: string): (bytes: Uint8Array) => string {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  // Made on first use: most installations meet two or three of them.
  return (bytes) => (decoder ??= new TextDecoder(label, { ignoreBOM: true })).decode(bytes);
}
const eucJp = decoderOf('euc-jp');
const high = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte | 0x80);

/** ISO 646; for ISO-IR 14 too: its yen sign and overline stand where all software shows backslash and tilde. */
export const ascii: CodeElement = { width: 1, decode: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1') };
/** ISO 8859-1 exactly; what the Encoding Standard calls so is Windows-1252. */
const latin1 = ascii;
const katakana: CodeElement = {
  width: 1,
  decode: (bytes) => Array.from(bytes, (byte) => (byte >= 0xa1 && byte <= 0xdf ? String.fromCharCode(0xff61 + byte - 0xa1) : byte < 0x80 ? String.fromCharCode(byte) : '\ufffd')).join(''),
};
const jisX0208: CodeElement = { width: 2, decode: (bytes) => eucJp(high(bytes)) };
const jisX0212: CodeElement = { width: 2, decode: (bytes) => eucJp(withSingleShift(high(bytes))) };
const korean: CodeElement = { width: 2, decode: decoderOf('euc-kr') };
const chinese: CodeElement = { width: 2, decode: decoderOf('gbk') };

/** EUC-JP reaches JIS X 0212 by the byte 0x8F before each character. */
function withSingleShift(bytes: Uint8Array): Uint8Array {
  const shifted = new Uint8Array(Math.ceil(bytes.length / 2) * 3);
  for (let i = 0, j = 0; i < bytes.length; i += 2) {
    shifted[j++] = 0x8f;
    shifted[j++] = bytes[i]!;
    shifted[j++] = bytes[i + 1] ?? 0;
  }
  return shifted;
}

/** What a designating escape sequence (without ESC, as text) puts into G0 (bytes below 0x80) or G1 (bytes above). */
export const DESIGNATIONS: ReadonlyMap<string, { half: 'g0' | 'g1'; element: CodeElement }> = new Map([
  ['(B', { half: 'g0', element: ascii }],
  ['(J', { half: 'g0', element: ascii }],
  ['$B', { half: 'g0', element: jisX0208 }],
  // The older edition of the same set, still met.
  ['$@', { half: 'g0', element: jisX0208 }],
  ['$(D', { half: 'g0', element: jisX0212 }],
  [')I', { half: 'g1', element: katakana }],
  ['$)C', { half: 'g1', element: korean }],
  ['$)A', { half: 'g1', element: chinese }],
  ['-A', { half: 'g1', element: latin1 }],
  ['-B', { half: 'g1', element: single('iso-8859-2') }],
  ['-C', { half: 'g1', element: single('iso-8859-3') }],
  ['-D', { half: 'g1', element: single('iso-8859-4') }],
  ['-F', { half: 'g1', element: single('iso-8859-7') }],
  ['-G', { half: 'g1', element: single('iso-8859-6') }],
  ['-H', { half: 'g1', element: single('iso-8859-8') }],
  ['-L', { half: 'g1', element: single('iso-8859-5') }],
  ['-M', { half: 'g1', element: single('iso-8859-9') }],
  ['-T', { half: 'g1', element: single('windows-874') }],
  ['-b', { half: 'g1', element: single('iso-8859-15') }],
]);

/** The escape sequence that designates the upper half of a defined term, by its registration number. */
export const UPPER_HALF_OF: ReadonlyMap<string, string> = new Map([
  ['100', '-A'], ['101', '-B'], ['109', '-C'], ['110', '-D'], ['126', '-F'], ['127', '-G'], ['138', '-H'], ['144', '-L'],
  ['148', '-M'], ['166', '-T'], ['203', '-b'], ['13', ')I'], ['149', '$)C'], ['58', '$)A'],
]);
