// Upgrade of a living archive: an earlier state of the product, built from the history of this repository, takes objects in, is stopped or
// killed, and this one goes on in its folder. And back: what is too new is refused in one sentence, and nothing of it is touched.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { baselineCheckout, baselines, hasBackend, Product, type Baseline } from '@perennia/testing';
import { contentsOf, copiesByTier, instancesOf, whileRunning, whileStopped, type Contents } from './catalogue.js';
import { folderSnapshot } from './folder-snapshot.js';
import { killAmidStep } from './kill-amid-step.js';
import { repository, start, vna, type Attempt } from './start-attempt.js';
import { StoredObjects } from './stored-objects.js';
import { until } from './until.js';

const SMALL = { VNA_LOG_LEVEL: 'warn', VNA_LANDING_SEGMENT_SIZE: '16MiB', VNA_LANDING_SEGMENTS: '2' };
const FILING = { ...SMALL, VNA_LIFECYCLE_SETTLE: '1s' };
const NOT_FILING = { ...SMALL, VNA_LIFECYCLE_SETTLE: '1h' };
const directory = mkdtempSync(join(tmpdir(), 'perennia-up-'));
const running = new Set<Product>();
const present = hasBackend('baseline');

afterEach(stopAll);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function stopAll(): Promise<void> {
  for (const product of running) await product.stop();
  running.clear();
}

async function begin(dataDirectory: string, environment: Record<string, string>, checkout = repository): Promise<Product> {
  const product = await Product.start({ dataDirectory, environment, checkout });
  running.add(product);
  return product;
}

const copyOf = (data: string, name: string): string => {
  const copy = join(directory, name);
  execFileSync('cp', ['-a', '--reflink=auto', '--sparse=always', data, copy]);
  return copy;
};

function expectOneSentence({ code, stdout, stderr }: Attempt, ...parts: (string | RegExp)[]): void {
  for (const part of parts) expect(stderr).toMatch(part);
  expect(stderr).toMatch(/^Perennia: [^\n]+\.\n$/);
  expect(stdout).toBe('');
  expect(code).toBe(2);
}

async function expectVerified(data: string, instances: number): Promise<void> {
  const { code, stdout, stderr } = await vna(data, 'verify', '--json');
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({ instances, damaged: [] });
  expect(code).toBe(0);
}

/** Studies in packs and studies in landing segments. @returns what was promised; the folder is that of a running archive */
async function fill(data: string, checkout: string): Promise<{ product: Product; objects: StoredObjects }> {
  const objects = new StoredObjects();
  const first = await begin(data, FILING, checkout);
  await objects.sendSmall(first);
  await objects.sendLarge(first);
  await until(async () => (await whileRunning(data, instancesOf)) === objects.count);
  await until(async () => (await whileRunning(data, copiesByTier)).landing === 0);
  await first.stop();
  const filed = objects.count;
  const product = await begin(data, NOT_FILING, checkout);
  await objects.sendSmall(product);
  await objects.sendLarge(product);
  await until(async () => (await whileRunning(data, instancesOf)) === objects.count);
  expect(await whileRunning(data, copiesByTier)).toEqual({ landing: objects.count - filed, filed });
  return { product, objects };
}

interface Filled {
  checkout: string;
  /** Its folder, as it was left by kill -9 of everything. */
  killed: string;
  before: Contents;
  objects: StoredObjects;
}

const once = new Map<string, Promise<Filled>>();

/** An earlier state of the product with objects in it; each test works in a copy of the folder. */
function filled(baseline: Baseline): Promise<Filled> {
  const known = once.get(baseline.name) ?? (async () => {
    const checkout = await baselineCheckout(baseline);
    const killed = join(directory, baseline.commit.slice(0, 7));
    const { product, objects } = await fill(killed, checkout);
    const before = await whileRunning(killed, contentsOf);
    await product.killAll();
    return { checkout, killed, before, objects };
  })();
  once.set(baseline.name, known);
  return known;
}

/** This state of the product in a folder of an earlier one: what was there is there, also when it was filed, and new objects are taken. */
async function expectGoesOn(data: string, before: Contents, objects: StoredObjects): Promise<void> {
  const product = await begin(data, FILING);
  // The commits of the index do not wait for the disk (ADR 10): the last ones before a kill are made again from the log.
  await until(async () => (await whileRunning(data, instancesOf)) === objects.count);
  expect((await whileRunning(data, contentsOf)).digest).toEqual(before.digest);
  expect(await objects.violations(product)).toEqual([]);
  await objects.sendSmall(product);
  await objects.sendLarge(product);
  await until(async () => (await whileRunning(data, instancesOf)) === objects.count);
  await until(async () => (await whileRunning(data, copiesByTier)).landing === 0);
  expect(await objects.violations(product)).toEqual([]);
  await expectVerified(data, objects.count);
  await product.stop();
}

(present ? describe.each(baselines()) : describe.skip.each([{ name: 'the baselines' } as Baseline]))('upgrade from $name', (baseline) => {
  let earlier: Filled;
  let data: string;
  let objects: StoredObjects;

  beforeAll(async () => {
    earlier = await filled(baseline);
    objects = earlier.objects.copy();
  }, 600_000);

  it('given it was killed, when this one is started in its folder, then nothing is lost, it takes new objects and files old ones', async () => {
    await expectGoesOn(copyOf(earlier.killed, `killed-${baseline.commit.slice(0, 7)}`), earlier.before, earlier.objects.copy());
  }, 120_000);

  it('given it was stopped in order, when this one is started in its folder, then nothing is lost, it takes new objects and files old ones', async () => {
    data = copyOf(earlier.killed, `stopped-${baseline.commit.slice(0, 7)}`);
    const again = await begin(data, NOT_FILING, earlier.checkout);
    await until(async () => (await whileRunning(data, instancesOf)) === objects.count);
    expect((await whileRunning(data, contentsOf)).digest).toEqual(earlier.before.digest);
    await again.stop();
    await expectGoesOn(data, earlier.before, objects);
  }, 120_000);

  it('given the folder after that, when the earlier one is started on it, then it refuses if anything was migrated, and serves it if nothing was', async () => {
    const after = await whileStopped(data, contentsOf);
    const files = folderSnapshot(data, ['postgres', 'run']);
    if (after.migrations.join() === earlier.before.migrations.join()) {
      const product = await begin(data, NOT_FILING, earlier.checkout);
      expect(await objects.violations(product)).toEqual([]);
      return;
    }
    expectOneSentence(await start(earlier.checkout, data), 'was made by a newer release than this one', /restore the (database|backup)/);
    expect(folderSnapshot(data, ['postgres', 'run'])).toEqual(files);
    expect(await whileStopped(data, contentsOf)).toEqual(after);
  }, 120_000);

  it('given a database one step ahead, when the earlier one is started on it, then it refuses in one sentence and changes nothing', async () => {
    await whileStopped(data, recordStepAhead);
    const after = await whileStopped(data, contentsOf);
    expectOneSentence(await start(earlier.checkout, data), 'was made by a newer release than this one');
    expect(await whileStopped(data, contentsOf)).toEqual(after);
  }, 120_000);
});

(present ? describe : describe.skip)('an upgrade that is broken off', () => {
  const data = join(directory, 'broken-off');
  let noted: Contents;
  let before: Contents;
  let objects: StoredObjects;

  beforeAll(async () => {
    // The oldest of them has steps to come.
    const oldest = await filled(baselines()[0]!);
    copyOf(oldest.killed, 'broken-off');
    noted = oldest.before;
    objects = oldest.objects.copy();
    before = await whileStopped(data, contentsOf);
  }, 600_000);

  /** At the first change of a schema the server does this instead. */
  const atFirstChange = (statement: string): Promise<void> =>
    whileStopped(data, async (imaging) => {
      await imaging.query('drop event trigger if exists first_change');
      await imaging.query(`create or replace function public.first_change() returns event_trigger language plpgsql as $$ begin ${statement}; end $$`);
      await imaging.query('create event trigger first_change on ddl_command_end execute function public.first_change()');
    });

  it('given steps to come, when asked, then vna migrate --check names them, and nothing is changed', async () => {
    const { code, stdout } = await vna(data, 'migrate', '--check');
    expect(code).toBe(1);
    for (const step of ['imaging  InstanceSample1764080400005', 'event_log  RecordRuns1764080400010']) expect(stdout).toContain(step);
    expect(await whileStopped(data, contentsOf)).toEqual(before);
  }, 60_000);

  it('given a step that fails, when this one is started, then it says so in one sentence, and the database is what it was', async () => {
    await atFirstChange(`raise exception 'no'`);
    expectOneSentence(await start(repository, data), 'could not be brought up to date', 'start again');
    expect(await whileStopped(data, contentsOf)).toEqual(before);
  }, 60_000);

  it('given a kill -9 of everything amid a step, then the database is what it was', async () => {
    await atFirstChange('perform pg_sleep(600)');
    await killAmidStep(data);
    expect(await whileStopped(data, contentsOf)).toEqual(before);
  }, 120_000);

  it('given the cause is gone, when this one is started again, then nothing is lost', async () => {
    await whileStopped(data, (imaging) => imaging.query('drop event trigger first_change'));
    const product = await begin(data, NOT_FILING);
    await until(async () => (await whileRunning(data, instancesOf)) === objects.count);
    const { digest, migrations } = await whileRunning(data, contentsOf);
    expect(digest).toEqual(noted.digest);
    expect(migrations.length).toBeGreaterThan(noted.migrations.length);
    expect(await objects.violations(product)).toEqual([]);
  }, 120_000);
});

describe('an archive that is one step ahead', () => {
  const data = join(directory, 'ahead');
  let objects: StoredObjects;

  beforeAll(async () => {
    const product = await begin(data, FILING);
    objects = new StoredObjects();
    await objects.sendSmall(product);
    await until(async () => (await whileRunning(data, instancesOf)) === objects.count);
    await product.stop();
  }, 120_000);

  it('given a data folder of a newer format, when started or asked, then it is refused in one sentence, and no file is touched', async () => {
    const file = join(data, 'format.json');
    const own = readFileSync(file, 'utf8');
    expect(JSON.parse(own)).toEqual({ format: 1, release: '0.1.0' });
    writeFileSync(file, '{"format":2,"release":"9.8.7"}\n');
    const files = folderSnapshot(data);
    for (const attempt of [await start(repository, data), await vna(data, 'status'), await vna(data, 'verify'), await vna(data, 'rebuild-index', '--yes'), await vna(data, 'migrate')]) {
      expectOneSentence(attempt, 'has format 2, made by release 9.8.7; this release (0.1.0) knows formats up to 1', 'Start release 9.8.7 or a newer one, or restore the backup');
    }
    expect(folderSnapshot(data)).toEqual(files);
    writeFileSync(file, own);
  }, 60_000);

  it('given a database that knows a later migration, when started or asked, then it is refused in one sentence, and nothing is changed', async () => {
    await whileStopped(data, recordStepAhead);
    const before = await whileStopped(data, contentsOf);
    const files = folderSnapshot(data, ['postgres', 'run']);
    for (const attempt of [await start(repository, data), await vna(data, 'status'), await vna(data, 'migrate', '--check')]) {
      expectOneSentence(attempt, 'The database schema "imaging" was made by a newer release than this one: it carries the migration StepAhead9999999999999', 'Start that newer release again, or restore the backup');
    }
    expect(folderSnapshot(data, ['postgres', 'run'])).toEqual(files);
    expect(await whileStopped(data, contentsOf)).toEqual(before);
  }, 60_000);

  it('given the step is taken back, as a restored backup does, when started, then it serves what it had', async () => {
    await whileStopped(data, (imaging) => imaging.query(`delete from imaging.schema_migration where name = 'StepAhead9999999999999'`));
    const { code, stdout } = await vna(data, 'migrate', '--check');
    expect([code, stdout]).toEqual([0, 'The database is up to date.\n']);
    expect(await objects.violations(await begin(data, NOT_FILING))).toEqual([]);
  }, 60_000);
});

const recordStepAhead = (imaging: Parameters<typeof contentsOf>[0]): Promise<unknown> =>
  imaging.query(`insert into imaging.schema_migration ("timestamp", name) values (9999999999999, 'StepAhead9999999999999')`);
