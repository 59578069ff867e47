// How many receipts a second the log takes and gives, durable, on this machine:
//   node --conditions=source --import libs/testing/src/child-process/source-loader.mjs libs/adapters/event-log-postgres/bench/throughput.ts [seconds] [bytes] [records per call]
// One process appends with four calls in flight (the relay of a landing area makes them of up to 1000 records), another one consumes.
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EmbeddedPostgres } from '@perennia/postgres-embedded';
import { createLogger } from '@perennia/telemetry';
import { PostgresEventLog } from '../src/index.js';

const TOPIC = 'bench';
const log = createLogger('bench', 'warn');
const [seconds = '10', bytes = '3600', callRecords = '100'] = process.argv.slice(2);

const perSecond = (count: number, ms: number): number => Math.round((count / ms) * 1000);

async function consume(url: string): Promise<void> {
  const eventLog = await PostgresEventLog.open({ url, log });
  let consumed = 0;
  let batches = 0;
  await eventLog.subscribe({ topic: TOPIC, group: 'bench', maxRecords: 2000, handle: async (records) => {
    consumed += records.length;
    batches++;
    process.send!({ consumed, batches, cpuMs: process.cpuUsage().user / 1000 });
  } });
}

async function produce(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'log-bench-'));
  const server = await EmbeddedPostgres.start({ dataDir, log });
  const eventLog = await PostgresEventLog.open({ url: server.url, log });
  const filler = JSON.stringify(Array.from({ length: Math.ceil(Number(bytes) / 20) }, (_, n) => `element "${n}" ABCD`)).slice(0, Number(bytes) - 40).replaceAll('"', "'");
  let last = { consumed: 0, batches: 0, cpuMs: 0 };
  let appended = 0;
  const consumer = fork(fileURLToPath(import.meta.url), ['consume', server.url], { execArgv: process.execArgv });
  const startedMs = performance.now();
  const worker = async (): Promise<void> => {
    while (performance.now() - startedMs < Number(seconds) * 1000) {
      await eventLog.append(TOPIC, Array.from({ length: Number(callRecords) }, () => ({ partition: appended % 8, key: 'default 1.2.3', value: `{"n":${appended++},"filler":"${filler}"}` })));
    }
  };
  const drained = new Promise<void>((resolve) => consumer.on('message', (message) => {
    last = message as typeof last;
    if (performance.now() - startedMs > Number(seconds) * 1000 && last.consumed === appended) resolve();
  }));
  await Promise.all([worker(), worker(), worker(), worker()]);
  const appendMs = performance.now() - startedMs;
  const behind = appended - last.consumed;
  await drained;
  const totalMs = performance.now() - startedMs;
  process.stdout.write(`appended ${appended} at ${perSecond(appended, appendMs)}/s (CPU ${Math.round(process.cpuUsage().user / 1000)} ms), consumed at ${perSecond(appended, totalMs)}/s in ${last.batches} batches (CPU ${Math.round(last.cpuMs)} ms), ${behind} behind at the end of appending\n`);
  consumer.kill();
  await eventLog.close();
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

await (process.argv[2] === 'consume' ? consume(process.argv[3]!) : produce());
