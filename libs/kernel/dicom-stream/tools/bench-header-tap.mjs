// Microseconds of processor time the header tap costs for one object. Usage, after `tsc -b`: node tools/bench-header-tap.mjs FILE… [--chunk 65536]
import { readFileSync } from 'node:fs';
import { HeaderTap, Part10Reader } from '../dist/index.js';

const args = process.argv.slice(2);
const chunkAt = args.indexOf('--chunk');
const chunkBytes = chunkAt < 0 ? 65536 : Number(args.splice(chunkAt, 2)[1]);

for (const file of args) {
  const bytes = readFileSync(file);
  const part10 = new Part10Reader();
  part10.push(bytes);
  const { datasetOffset, transferSyntaxUid } = part10.header;
  const chunks = [];
  for (let at = datasetOffset; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
  const once = () => {
    const tap = new HeaderTap({ transferSyntaxUid, datasetOffset });
    for (const chunk of chunks) tap.push(chunk);
    return tap.end();
  };
  const rounds = 20_000;
  for (let i = 0; i < rounds; i++) once();
  const times = [];
  for (let repeat = 0; repeat < 7; repeat++) {
    const start = process.cpuUsage().user;
    for (let i = 0; i < rounds; i++) once();
    times.push((process.cpuUsage().user - start) / rounds);
  }
  times.sort((a, b) => a - b);
  const kept = Object.values(once().attributes).reduce((sum, level) => sum + Object.keys(level).length, 0);
  process.stdout.write(`${file}: ${bytes.length} bytes, ${kept} attributes kept, median ${times[3].toFixed(1)} µs, best ${times[0].toFixed(1)} µs\n`);
}
