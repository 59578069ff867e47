// Milliseconds that a frame of 512×512 pixels, 12 bits in 16, spends in one thread, for each transfer syntax that is encoded;
// what was encoded is decoded once more for proof, and that is in the figure. Usage, after `tsc -b`: node tools/bench-codecs.mjs
import { CodecPool, ENCODED_TRANSFER_SYNTAXES } from '../dist/index.js';

const LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const module = {
  rows: 512, columns: 512, samplesPerPixel: 1, bitsAllocated: 16, bitsStored: 12, highBit: 11, pixelRepresentation: 0, planarConfiguration: 0,
  photometricInterpretation: 'MONOCHROME2',
};
const samples = new Uint16Array(512 * 512).map((_, index) => (Math.sin((index % 512) / 40) * Math.cos(index / 512 / 50) * 0.4 + 0.5) * 4095 + Math.random() * 8);
const native = new Uint8Array(samples.buffer);
const pool = new CodecPool({ threads: 1 });

async function medianMs(work) {
  const times = [];
  for (let round = 0; round < 25; round++) {
    const begun = performance.now();
    await work();
    times.push(performance.now() - begun);
  }
  return times.toSorted((a, b) => a - b)[12].toFixed(1);
}

for (const uid of ENCODED_TRANSFER_SYNTAXES.slice(3)) {
  const begun = performance.now();
  const { bytes, module: encoded } = await pool.transcodeFrame(LITTLE_ENDIAN, uid, module, native);
  const firstMs = (performance.now() - begun).toFixed(0);
  const encodeMs = await medianMs(() => pool.transcodeFrame(LITTLE_ENDIAN, uid, module, native));
  const decodeMs = await medianMs(() => pool.decodeFrame(uid, encoded, bytes));
  process.stdout.write(`${uid}: ${bytes.length} of ${native.length} bytes, encoded and proved in ${encodeMs} ms, decoded in ${decodeMs} ms; the first one took ${firstMs} ms\n`);
}
process.stdout.write(`${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB in use\n`);
await pool.close();
