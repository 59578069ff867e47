import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { JobQueue } from '@perennia/jobs';
import { StorageTiers, type StaleUpload } from '@perennia/storage';
import { Clock, createLogger } from '@perennia/telemetry';
import { cloneTemplateDatabase, MemoryObjectStore, type TestDatabase } from '@perennia/testing';
import { GiveUpUploads } from './give-up-uploads.js';

const HALF_DAY_MS = 12 * 3_600_000;

class SetClock extends Clock {
  now = 0;
  nowMs = (): number => this.now;
  monotonicMs = (): number => this.now;
  sleep = (): Promise<void> => Promise.resolve();
}

/** A store in memory has no uploads in parts: these are told. The adapter's own test gives up real ones. */
class StoreWithUploads extends MemoryObjectStore {
  uploads: StaleUpload[] = [];
  override async abortStaleUploads(olderThanMs: number): Promise<StaleUpload[]> {
    const stale = this.uploads.filter(({ startedAt }) => startedAt.getTime() <= clock.now - olderThanMs);
    this.uploads = this.uploads.filter((upload) => !stale.includes(upload));
    return stale;
  }
}

const clock = new SetClock();
let database: TestDatabase;
let jobs: JobQueue;

beforeAll(async () => {
  database = await cloneTemplateDatabase();
  jobs = new JobQueue(database.imaging);
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.imaging.query('truncate imaging.job');
  clock.now = Date.parse('2024-02-01T12:00:00Z');
});

const queued = (): Promise<{ queue: string; run_at: Date }[]> => database.imaging.query(`select queue, run_at from imaging.job where state = 'queued' order by run_at`);

describe('Giving up uploads that nobody finishes', () => {
  it('given tiers of which one has uploads, when it runs, then those of half a day ago are given up, younger ones go on, and it runs again after half a day: none gets older than a day', async () => {
    const store = new StoreWithUploads();
    const young = { key: 'data/young', startedAt: new Date(clock.now - HALF_DAY_MS / 2) };
    store.uploads = [{ key: 'data/old', startedAt: new Date(clock.now - HALF_DAY_MS) }, young];
    const tiers = new StorageTiers(new Map([['files', new MemoryObjectStore()], ['objects', store]]), { hot: 'files', tenantHot: {}, second: 'objects' });
    await new GiveUpUploads(tiers, jobs, clock, createLogger('test', 'silent')).run({ signal: new AbortController().signal });
    expect(store.uploads).toEqual([young]);
    expect(await queued()).toEqual([{ queue: 'give-up-uploads', run_at: new Date(clock.now + HALF_DAY_MS) }]);
  });

  it('given several processes that start in one half of a day, then it is asked for once', async () => {
    const job = new GiveUpUploads(StorageTiers.single('hot', new MemoryObjectStore()), jobs, clock, createLogger('test', 'silent'));
    await job.schedule(1000);
    await job.schedule(2000);
    expect(await queued()).toHaveLength(1);
  });
});
