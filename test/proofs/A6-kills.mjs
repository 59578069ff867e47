// Full size of A6, kills: --rounds N (default 60) at each fault point; --seed N; prints a line per point and violations in full.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FAULT_POINTS, KillRounds, Product } from '@perennia/testing/promise';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '60' }, seed: { type: 'string', default: String(Date.now() % 1e9) }, points: { type: 'string', default: FAULT_POINTS.join(',') } }, strict: false });
const rounds = Number(values.rounds);
const environment = { VNA_LIFECYCLE_SETTLE: '1s', VNA_LANDING_SEGMENT_SIZE: '16MiB', VNA_LANDING_SEGMENTS: '6', VNA_LANDING_RECYCLE_GRACE: '1s', VNA_LANDING_RESERVE: '0B', VNA_MINIMUM_FREE: '0B', VNA_LOG_LEVEL: 'warn' };
const directory = mkdtempSync(join(tmpdir(), 'perennia-a6-'));
const product = await Product.start({ dataDirectory: join(directory, 'data'), environment });
const runner = new KillRounds({ product, ledgerFile: join(directory, 'ledger.jsonl'), seed: Number(values.seed) });
console.log(`machine: ${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}; seed ${values.seed}; ${rounds} rounds a point`);
let violations = 0, kills = 0, acknowledged = 0, missed = 0;
for (const point of values.points.split(',')) {
  let here = 0, promised = 0, unanswered = 0, fired = 0;
  for (let round = 1; round <= rounds; round++) {
    const result = await runner.round(point, round);
    fired += result.fired ? 1 : 0;
    promised += result.report.acknowledged;
    unanswered += result.report.unansweredPresent;
    here += result.report.violations.length;
    for (const violation of result.report.violations) console.log(`VIOLATION ${point} round ${round} seed ${result.seed}: ${violation}`);
  }
  console.log(`${point}: ${fired} of ${rounds} kills fired, ${promised} acknowledged, ${unanswered} unanswered but whole, ${here} violations`);
  kills += fired; violations += here; acknowledged += promised; missed += rounds - fired;
}
runner.close();
await product.stop();
rmSync(directory, { recursive: true, force: true });
console.log(`total: ${kills} kills, ${acknowledged} acknowledged, ${violations} violations, ${missed} rounds in which the point was not reached`);
process.exitCode = violations === 0 && missed === 0 ? 0 : 1;
