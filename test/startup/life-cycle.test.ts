// Start, stop, kill, start again: the promises about the processes themselves.
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DicomRequestor } from '@perennia/dicom-net';
import { StartProcess, freePorts } from './start-process.js';

const FIRST_START_MS = 60_000;
const LATER_START_MS = 10_000;
const STOP_MS = 10_000;
/** Above what the supervisor gives a process besides the grace of its associations. */
const ASKS_ON_FOR_MS = 2500;
const STUDY_ROOT_FIND = '1.2.840.10008.5.1.4.1.2.2.1';
const VERIFICATION = '1.2.840.10008.1.1';
const IMPLICIT = '1.2.840.10008.1.2';
const folders: string[] = [];
let environment: Record<string, string>;

interface RunState {
  processes: { name: string; pid: number; restarts: number; healthPort?: number }[];
}
const runState = (): RunState => JSON.parse(readFileSync(join(environment['VNA_DATA']!, 'run', 'archive.json'), 'utf8')) as RunState;
const processNamed = (name: string): RunState['processes'][number] => runState().processes.find((each) => each.name === name)!;

async function newEnvironment(): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'perennia-life-'));
  folders.push(folder);
  return { ...(await freePorts()), VNA_DATA: join(folder, 'data') };
}

async function readyWithin(start: StartProcess, limitMs: number): Promise<number> {
  const startedMs = performance.now();
  await start.untilReady();
  const tookMs = performance.now() - startedMs;
  expect(tookMs).toBeLessThan(limitMs);
  return tookMs;
}

async function readiness(): Promise<number> {
  try {
    const response = await fetch(`http://127.0.0.1:${environment['VNA_HEALTH_PORT']}/readyz`);
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

/** Polls, because no event crosses the border of the process. */
async function until(condition: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error('It did not come true in time');
    await new Promise((done) => setTimeout(done, 50));
  }
}

beforeAll(async () => {
  environment = await newEnvironment();
});
afterEach(() => StartProcess.stopAll());
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

describe('the life of the archive', () => {
  it('given an empty folder, when started, then it is ready and prints where it answers; Ctrl-C ends all in order', async () => {
    const start = StartProcess.run({ environment });
    await readyWithin(start, FIRST_START_MS);
    expect(start.stderr).toContain(`127.0.0.1:${environment['VNA_INGEST_PORT']}, AE title PERENNIA`);
    expect(start.stderr).toContain(`http://127.0.0.1:${environment['VNA_DICOMWEB_PORT']}/dicom-web`);
    expect(await readiness()).toBe(200);
    for (const port of [Number(environment['VNA_HEALTH_PORT']), ...runState().processes.map(({ healthPort }) => healthPort)].filter((each) => each !== undefined)) {
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      expect(metrics).toContain('vna_process_resident_memory_bytes');
      expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
    }
    const pids = runState().processes.map(({ pid }) => pid);
    expect(await start.stop()).toBeLessThan(STOP_MS);
    expect((await start.ended).code).toBe(0);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('given a running archive, when a second one is started on its folder, then it is refused in one sentence', async () => {
    const start = StartProcess.run({ environment });
    await readyWithin(start, LATER_START_MS);
    const second = await StartProcess.run({ environment: { ...environment, ...(await freePorts()) } }).ended;
    expect(second.stderr).toMatch(/^Perennia: The data folder .* is in use by a running archive \(process \d+\)\. [^\n]+\n$/);
    expect(second.code).toBe(2);
    await start.stop();
  });

  it.each(['ingest', 'worker', 'web'])('given a running archive, when %s is killed, then it comes back by itself', async (name) => {
    const start = StartProcess.run({ environment });
    await readyWithin(start, LATER_START_MS);
    const before = processNamed(name);
    process.kill(before.pid, 'SIGKILL');
    await until(() => processNamed(name) !== undefined && processNamed(name).pid !== before.pid);
    await until(async () => (await readiness()) === 200);
    expect(processNamed(name).restarts).toBe(1);
    await start.stop();
  });

  it('given a killed supervisor, then its processes end by themselves and the next start is clean', async () => {
    const start = StartProcess.run({ environment });
    await readyWithin(start, LATER_START_MS);
    const pids = runState().processes.map(({ pid }) => pid);
    process.kill(processNamed('supervisor').pid, 'SIGKILL');
    await start.ended;
    const next = StartProcess.run({ environment });
    await readyWithin(next, LATER_START_MS);
    // Whoever adopted them may take a moment to bury them; their locks were free already.
    await until(() => pids.every(isGone));
    await next.stop();
  });

  it('given everything killed at once, PostgreSQL too, then the next start is clean', async () => {
    const start = StartProcess.run({ environment });
    await readyWithin(start, LATER_START_MS);
    const postmaster = Number(readFileSync(join(environment['VNA_DATA']!, 'postgres', 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0]);
    for (const pid of [...runState().processes.map((each) => each.pid), postmaster]) process.kill(pid, 'SIGKILL');
    await start.ended;
    const next = StartProcess.run({ environment });
    await readyWithin(next, LATER_START_MS);
    await next.stop();
  });

  it('given VNA_PROCESSES=1, then everything runs in one process', async () => {
    const start = StartProcess.run({ environment: { ...environment, VNA_PROCESSES: '1' } });
    await readyWithin(start, LATER_START_MS);
    expect(runState().processes.map(({ name }) => name)).toEqual(['supervisor']);
    expect(await readiness()).toBe(200);
    expect(await start.stop()).toBeLessThan(STOP_MS);
  });

  it('given an association of the service for queries, when the archive is stopped, then it may go on for the grace of that service', async () => {
    const start = StartProcess.run({ environment: { ...environment, VNA_INGEST_SHUTDOWN_GRACE: '0s', VNA_RETRIEVE_SHUTDOWN_GRACE: '30s' } });
    await readyWithin(start, LATER_START_MS);
    const contexts = [STUDY_ROOT_FIND, VERIFICATION].map((abstractSyntax) => ({ abstractSyntax, transferSyntaxes: [IMPLICIT] }));
    const association = await DicomRequestor.connect({ host: '127.0.0.1', port: Number(environment['VNA_INGEST_PORT']), callingAet: 'ASKER', calledAet: 'PERENNIA', contexts });
    const stopped = start.stop();
    for (const startedMs = performance.now(); performance.now() - startedMs < ASKS_ON_FOR_MS; ) {
      expect(await association.echo()).toBe(0);
      await new Promise((done) => setTimeout(done, 50));
    }
    await association.release();
    await stopped;
    expect((await start.ended).code).toBe(0);
  });

  it('given an unsafe listener that was asked for, then it starts and warns', async () => {
    const start = StartProcess.run({ environment: { ...environment, VNA_INGEST_HOST: '0.0.0.0', VNA_UNSAFE_LISTEN: 'true' } });
    await readyWithin(start, LATER_START_MS);
    await until(() => start.stdout.includes('UNSAFE: the DICOM listener'));
    await start.stop();
  });

  const asRoot = process.getuid!() === 0 ? it : it.skip;
  asRoot('given an ordinary user (needs root to become one), then it starts as well', async () => {
    const own = await newEnvironment();
    chownSync(join(own['VNA_DATA']!, '..'), 65_534, 65_534);
    const start = StartProcess.run({ environment: own, uid: 65_534 });
    await readyWithin(start, FIRST_START_MS);
    await start.stop();
  });
});

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
