import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { InvalidInputError, UnavailableError } from '@perennia/errors';
import { cloneTemplateDatabase, spawnSource, type TestDatabase } from '@perennia/testing';
import { createLogger, Metrics, SystemClock } from '@perennia/telemetry';
import type { JobState, JobStatus } from './job.js';
import { JobQueue } from './job-queue.js';
import { JobRunner } from './job-runner.js';

const interruption = (signal: AbortSignal): Promise<never> => new Promise((_, reject) => {
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
});

describe.each(['imaging', 'control'] as const)('jobs in the plane %s', (plane) => {
  let database: TestDatabase;
  let queue: JobQueue;
  const runners: JobRunner[] = [];
  const newRunner = (leaseMs = 600): JobRunner => {
    const runner = new JobRunner(database[plane], { clock: new SystemClock(), log: createLogger('test', 'silent'), metrics: new Metrics(), leaseMs, pollMs: 50 });
    runners.push(runner);
    return runner;
  };
  const until = async (id: string, ...states: JobState[]): Promise<JobStatus> => {
    for (;;) {
      const job = await queue.status(id);
      if (states.includes(job.state)) return job;
    }
  };
  beforeAll(async () => {
    database = await cloneTemplateDatabase({ poolSize: 8 });
    queue = new JobQueue(database[plane]);
  });
  afterEach(() => Promise.all(runners.splice(0).map((runner) => runner.stop())));
  afterAll(() => database.close());

  it('never gives one job to two runners, and does all of them', async () => {
    const ids = await queue.enqueue(Array.from({ length: 300 }, (_, n) => ({ queue: 'many', payload: n })));
    const runs: number[] = [];
    const done = new Promise<void>((resolve) => {
      for (const runner of [newRunner(), newRunner()]) {
        runner.handle<number>('many', async (job) => {
          runs.push(job.payload);
          await new Promise(setImmediate);
          if (runs.length >= 300) resolve();
        }, { concurrency: 10 }).start();
      }
    });
    await done;
    await Promise.all(runners.splice(0).map((runner) => runner.stop()));
    expect(runs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, n) => n));
    expect(await queue.list({ queue: 'many', state: 'done', limit: 1000 })).toHaveLength(ids.length);
  });

  it('takes the higher priority first and nothing before its time', async () => {
    const order: string[] = [];
    const [later] = await queue.enqueue([{ queue: 'order', payload: 'later', priority: 9, runAt: new Date(Date.now() + 3_600_000) }]);
    await queue.enqueue([{ queue: 'order', payload: 'low' }]);
    const [high] = await queue.enqueue([{ queue: 'order', payload: 'high', priority: 5 }]);
    newRunner().handle<string>('order', async (job) => void order.push(job.payload)).start();
    await until(high!, 'done');
    while (order.length < 2) await new Promise(setImmediate);
    expect(order).toEqual(['high', 'low']);
    expect((await queue.status(later!)).state).toBe('queued');
  });

  it('keeps one active job per key; enqueued again while it runs, it runs once more', async () => {
    const [first] = await queue.enqueue([{ queue: 'key', dedupeKey: 'study 1', payload: 1 }]);
    const [second] = await queue.enqueue([{ queue: 'key', dedupeKey: 'study 1', payload: 2 }, { queue: 'key', dedupeKey: 'study 1', payload: 3 }]);
    expect(second).toBe(first);
    const payloads: number[] = [];
    newRunner().handle<number>('key', async (job) => {
      payloads.push(job.payload);
      if (payloads.length === 1) await queue.enqueue([{ queue: 'key', dedupeKey: 'study 1', payload: 4 }]);
    }).start();
    await until(first!, 'done');
    expect(payloads).toEqual([3, 4]);
    const [fresh] = await queue.enqueue([{ queue: 'key', dedupeKey: 'study 1' }]);
    expect(fresh).not.toBe(first);
  });

  it('is enqueued only if the transaction of the caller commits', async () => {
    await database[plane].transaction(async (sql) => {
      await queue.enqueue([{ queue: 'transaction' }], sql);
      throw new Error('no');
    }).catch(() => undefined);
    expect(await queue.list({ queue: 'transaction' })).toEqual([]);
  });

  it('tries again after what may pass, gives up at once on what cannot, and after the last attempt', async () => {
    const [passing, hopeless, limited] = await Promise.all([
      queue.enqueue([{ queue: 'fail', payload: 'passing' }]), queue.enqueue([{ queue: 'fail', payload: 'hopeless' }]), queue.enqueue([{ queue: 'fail', payload: 'limited', maxAttempts: 1 }])]);
    newRunner().handle<string>('fail', async (job) => {
      if (job.payload === 'hopeless') throw new InvalidInputError('Wrong for ever.');
      if (job.payload === 'limited' || job.attempt < 2) throw new UnavailableError('Not now.');
    }).start();
    expect(await until(hopeless[0]!, 'failed')).toMatchObject({ attempts: 1, errorCode: 'INVALID_INPUT', error: 'Wrong for ever.' });
    expect(await until(limited[0]!, 'failed')).toMatchObject({ attempts: 1, errorCode: 'UNAVAILABLE' });
    expect(await until(passing[0]!, 'done')).toMatchObject({ attempts: 2, errorCode: null });
  });

  it('ends a running job when it is cancelled, and a queued one at once', async () => {
    const [running, queued] = [await queue.enqueue([{ queue: 'cancel' }]), await queue.enqueue([{ queue: 'nobody' }])];
    newRunner(300).handle('cancel', (job) => interruption(job.signal)).start();
    await until(running[0]!, 'running');
    await queue.cancel(running[0]!);
    await queue.cancel(queued[0]!);
    expect((await queue.status(queued[0]!)).state).toBe('cancelled');
    expect((await until(running[0]!, 'cancelled')).attempts).toBe(1);
  });

  it('gives an interrupted job back without counting the attempt', async () => {
    const [id] = await queue.enqueue([{ queue: 'stop' }]);
    const runner = newRunner().handle<unknown, string>('stop', async (job) => {
      await job.checkpoint('half');
      await interruption(job.signal);
    });
    runner.start();
    while ((await queue.status(id!)).cursor !== 'half') await new Promise(setImmediate);
    await runner.stop();
    expect(await queue.status(id!)).toMatchObject({ state: 'queued', attempts: 0, cursor: 'half' });
  });

  it('does not let a runner that lost its lease commit a step', async () => {
    const [id] = await queue.enqueue([{ queue: 'fence' }]);
    let outcome: unknown;
    const reached = new Promise<void>((resolve) => {
      newRunner().handle<unknown, number>('fence', async (job) => {
        if (job.attempt > 1) return;
        await database[plane].query(`update ${plane}.job set lease_until = now() - interval '1 second' where id = $1`, [id]);
        await until(id!, 'done');
        outcome = await database[plane].transaction((sql) => job.checkpoint(1, undefined, sql)).catch((error: unknown) => error);
        resolve();
      }, { concurrency: 2 }).start();
    });
    await reached;
    expect(outcome).toMatchObject({ code: 'CONFLICT' });
  });

  it('removes old finished jobs', async () => {
    await database[plane].query(`update ${plane}.job set finished_at = now() - interval '8 days' where queue = 'many'`);
    expect(await queue.purge(7)).toBe(300);
  });
});

it('goes on at the cursor after kill -9 of the runner', async () => {
  const database = await cloneTemplateDatabase();
  const queue = new JobQueue(database.imaging);
  const [id] = await queue.enqueue([{ queue: 'count' }]);
  const child = spawnSource(fileURLToPath(new URL('./counting-runner.child.ts', import.meta.url)), [database.url]);
  await once(child, 'message');
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  const runner = new JobRunner(database.imaging, { clock: new SystemClock(), log: createLogger('test', 'silent'), metrics: new Metrics(), leaseMs: 600, pollMs: 50 });
  const resumed = new Promise<{ cursor: number | null; attempt: number }>((resolve) => {
    runner.handle<unknown, number>('count', async (job) => resolve({ cursor: job.cursor, attempt: job.attempt })).start();
  });
  expect(await resumed).toEqual({ cursor: 5, attempt: 2 });
  await runner.stop();
  expect(await queue.status(id!)).toMatchObject({ state: 'done', progress: { steps: 5 } });
  await database.close();
});
