// Measures durable appends and recovery on the disk of a folder: node bench/append.mjs FOLDER [seconds] [synchronousBytes]
// (after `tsc -b`). Prints one JSON line per case. CT: 526 KB in 33 pieces; tiny: 9.6 KB in 1 piece; receipts of 3 KB.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { SystemClock } from '@perennia/telemetry';
import { FileLanding } from '@perennia/landing-file';

const [folder = '/tmp/landing-bench', seconds = '5', synchronousBytes] = process.argv.slice(2);
const directory = join(folder, 'landing');
const print = (figures) => process.stdout.write(`${JSON.stringify(figures)}\n`);
const receipt = JSON.stringify({ receiptId: 'r', pad: 'x'.repeat(3000) });
const payloads = {
  ct: Array.from({ length: 33 }, () => Buffer.alloc(16_000, 7)),
  tiny: [Buffer.alloc(9_600, 7)],
};

async function open() {
  const options = { directory, owner: 'bench', clock: new SystemClock(), graceMs: 0 };
  if (synchronousBytes) options.synchronousBytes = Number(synchronousBytes);
  return FileLanding.open(options);
}

/** Releases each segment as soon as it is sealed: the pool is recycled as in production, without a filing job. */
async function releaseSealed(landing) {
  for (const segment of landing.sealedSegments()) await landing.release(segment.generation);
}

async function measure(landing, kind, appenders) {
  const parts = payloads[kind];
  const end = performance.now() + Number(seconds) * 1000;
  const cpu = process.cpuUsage();
  let count = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: appenders }, async () => {
      while (performance.now() < end) {
        await landing.append(receipt, parts);
        count += 1;
        if (count % 500 === 0) await releaseSealed(landing);
      }
    }),
  );
  const took = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  print({ kind, appenders, perSecond: Math.round(count / took), cores: +((user + system) / 1e6 / took).toFixed(2) });
}

rmSync(directory, { recursive: true, force: true });
const began = performance.now();
let landing = await open();
print({ firstStartMs: Math.round(performance.now() - began) });
// One pass that is not counted, until the pool is filled and warm.
for (let i = 0; i < 1000; i += 1) {
  await Promise.all(Array.from({ length: 8 }, () => landing.append(receipt, payloads.ct)));
  await releaseSealed(landing);
}
for (const kind of ['ct', 'tiny']) for (const appenders of [1, 4, 8]) await measure(landing, kind, appenders);

for (const kind of ['ct', 'tiny']) {
  await landing.seal();
  await releaseSealed(landing);
  while (landing.state().freeSegments > 0) await Promise.all(Array.from({ length: 16 }, () => landing.append(receipt, payloads[kind])));
  const held = landing.state().heldBytes;
  await landing.close();
  const start = performance.now();
  landing = await open();
  print({ recovery: kind, heldGiB: +(held / 2 ** 30).toFixed(2), ...landing.recovery, ms: Math.round(performance.now() - start) });
}
await landing.close();
rmSync(directory, { recursive: true, force: true });
