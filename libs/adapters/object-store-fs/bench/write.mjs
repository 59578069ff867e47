// Measures the writing and verifying of packs on the disk of a folder: node bench/write.mjs FOLDER [GiB] (after `tsc -b`).
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { FsObjectStore } from '@perennia/object-store-fs';
import { workKey } from '@perennia/storage';

const [folder = '/tmp/object-store-bench', gib = '2'] = process.argv.slice(2);
const directory = join(folder, 'objects');
const print = (figures) => process.stdout.write(`${JSON.stringify(figures)}\n`);
const OBJECT_BYTES = 128 * 1024 * 1024;
const count = (Number(gib) * 2 ** 30) / OBJECT_BYTES;
const chunk = Buffer.alloc(526 * 1024, 7);

rmSync(directory, { recursive: true, force: true });
let began = performance.now();
const store = await FsObjectStore.open({ directory });
print({ firstStartMs: Math.round(performance.now() - began) });

for (const writers of [1, 2]) {
  began = performance.now();
  const cpu = process.cpuUsage();
  let next = 0;
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (next < count) {
        const writer = await store.create(workKey('bench', `${writers}-${next++}`));
        for (let done = 0; done < OBJECT_BYTES; done += chunk.length) await writer.write(chunk);
        await writer.commit();
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  print({ writers, megabytesPerSecond: Math.round((count * OBJECT_BYTES) / 1e6 / seconds), cores: +((user + system) / 1e6 / seconds).toFixed(2) });
}
for (const uncached of [false, true]) {
  began = performance.now();
  let bytes = 0;
  for (let n = 0; n < count; n += 1) for await (const data of store.readStream(workKey('bench', `1-${n}`), 0, OBJECT_BYTES, { uncached })) bytes += data.length;
  print({ read: uncached ? 'uncached' : 'cached', megabytesPerSecond: Math.round(bytes / 1e3 / (performance.now() - began)) });
}
began = performance.now();
const small = 500;
await Promise.all(
  Array.from({ length: 8 }, async (_, at) => {
    for (let n = at; n < small; n += 8) {
      const writer = await store.create(workKey('small', String(n)));
      await writer.write(chunk.subarray(0, 9600));
      await writer.commit();
    }
  }),
);
print({ smallObjectsPerSecond: Math.round((small * 1000) / (performance.now() - began)) });
await store.close();
rmSync(directory, { recursive: true, force: true });
