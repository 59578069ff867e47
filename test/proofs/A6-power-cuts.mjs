// Full size of A6, power cuts: --cuts N (default 60); needs root and loop devices.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PowerCuts } from '@perennia/testing/promise';

const { values } = parseArgs({ options: { cuts: { type: 'string', default: '60' }, seed: { type: 'string', default: String(Date.now() % 1e9) } }, strict: false });
const environment = { VNA_LIFECYCLE_SETTLE: '1s', VNA_LANDING_SEGMENT_SIZE: '16MiB', VNA_LANDING_SEGMENTS: '6', VNA_LANDING_RECYCLE_GRACE: '1s', VNA_LANDING_RESERVE: '0B', VNA_MINIMUM_FREE: '0B', VNA_LOG_LEVEL: 'warn' };
const directory = mkdtempSync(join(tmpdir(), 'perennia-a6-'));
const runner = new PowerCuts({ directory, seed: Number(values.seed), environment });
console.log(`machine: ${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}; seed ${values.seed}; ${values.cuts} cuts`);
await runner.start('6G');
let violations = 0, acknowledged = 0, slowest = 0;
for (let number = 1; number <= Number(values.cuts); number++) {
  const { report, seed, recoveryMs } = await runner.cut(number);
  violations += report.violations.length;
  acknowledged += report.acknowledged;
  slowest = Math.max(slowest, recoveryMs);
  for (const violation of report.violations) console.log(`VIOLATION cut ${number} seed ${seed}: ${violation}`);
}
await runner.stop();
rmSync(directory, { recursive: true, force: true });
console.log(`total: ${values.cuts} cuts, ${acknowledged} acknowledged, ${violations} violations; ready again after ${slowest} ms at the most`);
process.exitCode = violations === 0 ? 0 : 1;
