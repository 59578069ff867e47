// The administrator's command against the running product: what goes in by `vna import` comes out by `vna export` byte for byte.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { part10, type Part10Object } from '@perennia/testing';
import { runVna, runVnaJson, type VnaAnswer } from './run-vna.js';
import { StartProcess, freePorts } from './start-process.js';

interface Json extends Record<string, unknown> {
  found: number;
  stored: number;
  alreadyDone: number;
}

const folder = mkdtempSync(join(tmpdir(), 'perennia-cli-'));
const sources = join(folder, 'medium');
const study = '1.2.826.0.1.3680043.10.77.1';
let environment: Record<string, string>;
let start: StartProcess;
let objects: Part10Object[];

const vna = (...parameters: string[]): Promise<VnaAnswer> => runVna(environment, ...parameters);
const vnaJson = <Result = Json>(...parameters: string[]): Promise<Result> => runVnaJson<Result>(environment, ...parameters);

function writeMedium(): void {
  objects = Array.from({ length: 12 }, (_, n) =>
    part10({ studyInstanceUid: study, seriesInstanceUid: `${study}.${n % 3}`, sopInstanceUid: `${study}.${n % 3}.${n}`, instanceNumber: n, pixelSeed: n, pixelBytes: 2048 }),
  );
  objects.forEach(({ bytes }, n) => {
    mkdirSync(join(sources, `d${n % 2}`), { recursive: true });
    writeFileSync(join(sources, `d${n % 2}`, `IM${n}`), bytes);
  });
  writeFileSync(join(sources, 'readme.txt'), 'not an image at all, and long enough to be looked at');
}

beforeAll(async () => {
  environment = { ...(await freePorts()), VNA_DATA: join(folder, 'data'), VNA_LOG_LEVEL: 'warn', VNA_LIFECYCLE_SETTLE: '1s' };
  writeMedium();
  start = StartProcess.run({ environment });
  await start.untilReady();
});
afterAll(async () => {
  await StartProcess.stopAll();
  rmSync(folder, { recursive: true, force: true });
});

describe('vna', () => {
  it('given a folder, when looked at with --dry-run, then nothing is stored', async () => {
    expect(await vnaJson('import', sources, '--dry-run')).toMatchObject({ found: 12, stored: 0, skipped: { 'not DICOM': 1 } });
    expect(await vnaJson<{ counts: object }>('status')).toMatchObject({ running: true, counts: { instances: 0 } });
  });

  it('given a folder, when imported and exported, then every object comes back byte for byte', async () => {
    expect(await vnaJson('import', sources)).toMatchObject({ found: 12, stored: 12, refused: {}, failed: {} });
    await waitForInstances(12);
    const target = join(folder, 'exported');
    expect(await vnaJson('export', study, target)).toEqual([{ studyInstanceUid: study, files: 12, bytes: objects.reduce((sum, { bytes }) => sum + bytes.length, 0) }]);
    for (const { bytes, values } of objects) {
      expect(readFileSync(join(target, study, values.seriesInstanceUid, `${values.sopInstanceUid}.dcm`)).equals(bytes)).toBe(true);
    }
    expect(await vnaJson('verify', study)).toMatchObject({ instances: 12, damaged: [] });
  });

  it('given a file that is refused, when imported, then the reason is counted, listed and told by the exit code', async () => {
    const file = join(folder, 'truncated.dcm');
    writeFileSync(file, objects[0]!.bytes.subarray(0, 700));
    const answer = await vna('import', file, '--json');
    expect(answer.code).toBe(4);
    expect(Object.values((JSON.parse(answer.stdout) as { refused: Record<string, number> }).refused)).toEqual([1]);
    // Refusals are written in batches a moment after the answer.
    await until(async () => (await vnaJson<{ refused: { road: string }[] }>('status', '--refused')).refused[0]?.road === 'import');
  });

  it('given an import that was interrupted, when run again, then what is done is not sent again', async () => {
    const key = createHash('sha256').update(sources).digest('hex').slice(0, 24);
    const journal = join(environment['VNA_DATA']!, 'imports', `${key}.jsonl`);
    expect(existsSync(journal)).toBe(false);
    // As a kill leaves it: two files done, the line of a third cut short.
    const lines = [join(sources, 'd0', 'IM0'), join(sources, 'd1', 'IM1')].map((path) => {
      const { size, mtimeMs } = statSync(path);
      return JSON.stringify([path, size, Math.floor(mtimeMs)]);
    });
    writeFileSync(journal, `${lines.join('\n')}\n["${sources}/d0/IM2",`);
    expect(await vnaJson('import', sources)).toMatchObject({ found: 12, alreadyDone: 2, stored: 10 });
    expect(existsSync(journal)).toBe(false);
  });

  it('given the running archive, then doctor finds nothing wrong, and config says where values come from', async () => {
    const doctor = await vna('doctor', '--json');
    expect((JSON.parse(doctor.stdout) as { ok: boolean }[]).filter(({ ok }) => !ok)).toEqual([]);
    expect(doctor.code).toBe(0);
    const values = await vnaJson<{ key: string; origin: string }[]>('config');
    expect(values.find(({ key }) => key === 'lifecycle.settle')?.origin).toBe('environment VNA_LIFECYCLE_SETTLE');
  });

  it.each(['status', 'import', 'export', 'verify', 'rebuild-index', 'migrate', 'doctor', 'config', 'node'])('given %s --help, then it shows an example', async (command) => {
    const { stdout, code } = await vna(command, '--help');
    expect(stdout).toContain('Example');
    expect(stdout).toContain(`npx vna ${command}`);
    expect(code).toBe(0);
  });

  it('given a stopped archive, then status and verify still work, import and export say what to do, and rebuild-index wants --yes', async () => {
    await start.stop();
    expect(await vnaJson<{ counts: object }>('status')).toMatchObject({ running: false, counts: { studies: 1, series: 3, instances: 12 } });
    expect(await vnaJson('verify')).toMatchObject({ instances: 12, damaged: [] });
    for (const command of [['import', sources], ['export', study, join(folder, 'x')]]) {
      const { code, stderr } = await vna(...command);
      expect(stderr).toMatch(/^Perennia: No archive is running on the data folder [^\n]+npm start[^\n]+\n$/);
      expect(code).toBe(2);
    }
    expect((await vna('rebuild-index')).stderr).toContain('--yes');
    expect(readdirSync(environment['VNA_DATA']!)).not.toContain('archive.lock');
  });
});

const waitForInstances = (count: number): Promise<void> =>
  until(async () => (await vnaJson<{ counts: { instances: number } }>('status')).counts.instances === count);

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 60; attempt++) if (await condition()) return;
  throw new Error('It did not come true in time');
}
