// Appends for ever and reports each acknowledgement, until it is killed: appending-writer.ts DIRECTORY FIRST_NUMBER
import { createHash } from 'node:crypto';
import { SystemClock } from '@perennia/telemetry';
import { FileLanding } from '@perennia/landing-file';

const [directory, first] = process.argv.slice(2);
const landing = await FileLanding.open({
  directory: directory!, owner: 'o', clock: new SystemClock(), segmentBytes: 1024 * 1024, segments: 3, maxSegments: 1000, reserveBytes: 0, graceMs: 0,
});
let number = Number(first);
async function appendForEver(large: boolean): Promise<void> {
  for (;;) {
    const n = number++;
    const bytes = Buffer.alloc(large ? 300_000 : 1000 + ((n * 7919) % 30_000), createHash('sha256').update(String(n)).digest());
    const receipt = JSON.stringify({ n, size: bytes.length, datasetOffset: 0, datasetSha256: createHash('sha256').update(bytes).digest('hex') });
    if (large) {
      const stream = await landing.openStream();
      await stream.write(bytes);
      await stream.commit(receipt);
    } else await landing.append(receipt, [bytes]);
    process.send!(n);
  }
}
await Promise.all([...Array.from({ length: 4 }, () => appendForEver(false)), appendForEver(true)]);
