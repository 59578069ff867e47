// How many requests an S3 store takes for landing and filing, and how fast objects are stored meanwhile: the services apart, on a real Kafka
// broker, S3 server and PostgreSQL, once as it is and once with a PUT for each object. From the root of the built workspace:
//   node_modules/.bin/node test/load/s3-requests.mjs [--only tiny.a8,stow.tiny.c4] [--modes groups,single] [--out result.json]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Cluster, countedStore } from '../../libs/testing/dist/promise/index.js';

/** As gen.py and bench.py make them: 9.6 KB and 526 KB, a study stays on one association, bodies of 50 tiny or 10 CT. */
const TINY = { studies: 8, perStudy: 125, pixelBytes: 9000, perBody: 50 };
const CT = { studies: 8, perStudy: 25, pixelBytes: 2 * 512 * 512, perBody: 10 };
const CASES = Object.fromEntries([
  ...[1, 4, 8].flatMap((parallel) => [[`tiny.a${parallel}`, { ...TINY, road: 'dimse', parallel }], [`ct.a${parallel}`, { ...CT, road: 'dimse', parallel }]]),
  ['stow.tiny.c4', { ...TINY, road: 'stow', parallel: 4 }],
  ['stow.ct.c4', { ...CT, road: 'stow', parallel: 4 }],
]);

const { values } = parseArgs({ options: { only: { type: 'string' }, modes: { type: 'string', default: 'groups,single' }, out: { type: 'string' } } });
const names = values.only?.split(',') ?? Object.keys(CASES);
const result = { date: new Date().toISOString(), node: process.version, load: loadavg(), modes: {} };
for (const mode of values.modes.split(',')) result.modes[mode] = await runMode(mode);
if (values.out) writeFileSync(values.out, JSON.stringify(result, null, 2));
process.stdout.write(`${JSON.stringify(result)}\n\n${table(result.modes)}`);

async function runMode(mode) {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-s3-requests-'));
  const environment = { VNA_LIFECYCLE_SETTLE: '5s', ...(mode === 'single' && { VNA_MUTANT: 'one-put-per-object' }) };
  const cluster = await Cluster.start({ directory, environment });
  const rows = {};
  try {
    // Code is compiled and connections are made before anything is counted.
    await countedStore(cluster, { ...TINY, studies: 4, perStudy: 50, road: 'dimse', parallel: 4 });
    for (const name of names) {
      rows[name] = await countedStore(cluster, CASES[name]);
      process.stderr.write(`${mode} ${name} ${JSON.stringify(rows[name])}\n`);
    }
    return rows;
  } finally {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function table(modes) {
  const columns = Object.keys(modes);
  const lines = [`| case | ${columns.map((mode) => `${mode}: inst/s | requests per 1,000`).join(' | ')} | by operation (${columns[0]}) |`, `|---|${'---:|'.repeat(2 * columns.length)}---|`];
  for (const name of names) {
    const cells = columns.map((mode) => `${perSecond(modes[mode][name])} | ${perThousand(modes[mode][name])}`);
    lines.push(`| ${name} | ${cells.join(' | ')} | ${byOperation(modes[columns[0]][name])} |`);
  }
  return `${lines.join('\n')}\n`;
}
function perSecond({ instances, storeMs }) {
  return Math.round((instances * 1000) / storeMs);
}
function perThousand({ instances, requests, releaseRequests }) {
  return Math.round(((Object.values(requests).reduce((sum, count) => sum + count, 0) + releaseRequests) * 1000) / instances);
}
function byOperation({ instances, requests, releaseRequests }) {
  const all = Object.entries({ ...requests, release: releaseRequests });
  return all.map(([operation, count]) => `${operation} ${Math.round((count * 1000) / instances)}`).join(', ');
}
