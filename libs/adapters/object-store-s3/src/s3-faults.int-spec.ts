import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { AlreadyExistsError, CancelledError, CorruptDataError, UnavailableError } from '@perennia/errors';
import { workKey } from '@perennia/storage';
import { SystemClock } from '@perennia/telemetry';
import { failingShare, hasBackend, hasOwn, HttpFaultProxy, S3Server, type FaultPlan, type HttpFault } from '@perennia/testing';
import type { S3ObjectStoreOptions } from './s3-options.js';
import { S3ObjectStore } from './s3-object-store.js';

const suite = hasBackend('s3') ? describe : describe.skip;
const MIB = 1024 * 1024;
const ERRORS: readonly HttpFault[] = [{ kind: 'status', status: 500, code: 'InternalError' }, { kind: 'status', status: 503, code: 'ServiceUnavailable' }, { kind: 'status', status: 503, code: 'SlowDown' }];

/** Time that can be moved on. */
class MovableClock extends SystemClock {
  aheadMs = 0;
  override monotonicMs(): number {
    return super.monotonicMs() + this.aheadMs;
  }
}

/** Bytes that follow from a number, quickly. */
function bytesOf(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(Math.ceil(length / 4096) * 4096, createHash('sha512').update(String(seed)).digest());
  for (let at = 0; at < bytes.length; at += 4096) bytes.writeUInt32LE(at, at);
  return bytes.subarray(0, length);
}

async function inParallel(count: number, atOnce: number, work: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (next < count) await work(next++);
  }));
}

suite('S3ObjectStore and a store in trouble', () => {
  let server: S3Server;
  let proxy: HttpFaultProxy;
  let bucket: string;
  /** Past the proxy. */
  let direct: S3ObjectStore;
  const opened: S3ObjectStore[] = [];
  let keys = 0;
  const newKey = (): string => workKey('faults', String(++keys).padStart(5, '0'));

  beforeAll(async () => {
    server = await S3Server.use();
    bucket = await server.createBucket();
    proxy = await HttpFaultProxy.start(server.access.endpoint);
    direct = await S3ObjectStore.open({ ...server.access, bucket });
  }, 600_000);
  afterEach(() => {
    proxy.plan = undefined;
    proxy.dropConnections();
    opened.splice(0).forEach((store) => store.close());
  });
  afterAll(async () => {
    direct?.close();
    await proxy?.close();
    await server?.remove();
  });

  async function open(options: Partial<S3ObjectStoreOptions> = {}): Promise<S3ObjectStore> {
    const store = await S3ObjectStore.open({ ...server.access, endpoint: proxy.endpoint, bucket, retryPauseMs: 4, partSizeBytes: 5 * MIB, ...options });
    opened.push(store);
    proxy.seen.length = 0;
    return store;
  }
  async function put(store: S3ObjectStore, key: string, bytes: Buffer): Promise<void> {
    const writer = await store.create(key);
    for (let at = 0; at < bytes.length; at += MIB) await writer.write(bytes.subarray(at, at + MIB));
    await writer.commit();
  }
  const once = (method: string, ...faults: HttpFault[]): FaultPlan => (seen) => (seen.method === method ? faults.shift() : undefined);
  const seenMethods = (): string => proxy.seen.map(({ method }) => method).join(' ');

  it('given 30 % of errors, then 99.9 % of 1,050 objects are stored, with four attempts a call at most, and listed in order', async () => {
    const store = await open();
    const prefix = workKey('share');
    proxy.plan = failingShare(0.3, 7, ERRORS);
    const stored: string[] = [];
    await inParallel(1050, 16, async (number) => {
      const key = `${prefix}/${String(number).padStart(4, '0')}`;
      // Two rounds of four attempts all fail for one object in 15,000.
      await put(store, key, bytesOf(100, number)).then(() => stored.push(key), (error: unknown) => expect(error).toBeInstanceOf(UnavailableError));
    });
    expect(stored.length).toBeGreaterThanOrEqual(1049);
    const attempts = new Map<string, string>();
    for (const { method, path } of proxy.seen) attempts.set(path.split('?')[0]!, `${attempts.get(path.split('?')[0]!) ?? ''} ${method}`);
    expect([...attempts.values()].filter((each) => /( PUT){5}/.test(each))).toEqual([]);
    expect([...attempts.values()].filter((each) => /( PUT){4}/.test(each)).length).toBeGreaterThan(0);
    const listed = await Array.fromAsync(store.list(`${prefix}/`));
    expect(listed.map(({ key }) => key)).toEqual(stored.toSorted());
    expect(store.breakerState).toBe('closed');
  });

  it('given half of the requests failing, then the breaker opens, nothing is asked meanwhile, and it closes by probes', async () => {
    const clock = new MovableClock();
    const store = await open({ clock });
    proxy.plan = failingShare(0.6, 3, ERRORS);
    await inParallel(60, 4, () => store.head(newKey()).then(() => undefined, () => undefined));
    expect(store.breakerState).toBe('open');
    const seen = proxy.seen.length;
    await expect(store.head(newKey())).rejects.toMatchObject({ constructor: UnavailableError, retriable: true, details: { breaker: 'open' } });
    expect(proxy.seen.length).toBe(seen);
    proxy.plan = () => ERRORS[0];
    clock.aheadMs += 5000;
    await expect(store.head(newKey())).rejects.toBeInstanceOf(UnavailableError);
    expect([store.breakerState, proxy.seen.length]).toEqual(['open', seen + 1]);
    proxy.plan = undefined;
    clock.aheadMs += 5000;
    for (const state of ['half-open', 'half-open', 'closed']) {
      expect(await store.head(newKey())).toBeNull();
      expect(store.breakerState).toBe(state);
    }
  });

  it('given a store that fails always, then repetitions end with their budget before they double the load for long', async () => {
    const clock = new MovableClock();
    const store = await open({ clock });
    // Never enough in ten seconds to open the breaker: the budget alone holds.
    let calls = 0;
    proxy.plan = () => {
      clock.aheadMs += 2000;
      return ERRORS[0];
    };
    for (; calls < 60; calls++) await store.head(newKey()).catch(() => undefined);
    expect(proxy.seen.length).toBeLessThanOrEqual(calls + 101);
  });

  it('given a store that hangs, then a commit ends at its deadline and leaves nothing', async () => {
    const store = await open({ noProgressMs: 150, callDeadlineMs: 700 });
    proxy.plan = () => ({ kind: 'hang' });
    const startedMs = performance.now();
    const key = newKey();
    await expect(put(store, key, bytesOf(1000, 1))).rejects.toMatchObject({ constructor: UnavailableError, retriable: true });
    expect(performance.now() - startedMs).toBeLessThan(2500);
    proxy.plan = undefined;
    expect(await direct.head(key)).toBeNull();
  });

  it('given a hang that ends, then the request that hung is given up and sent again', async () => {
    const store = await open({ noProgressMs: 150 });
    proxy.plan = once('PUT', { kind: 'hang' });
    const key = newKey();
    await put(store, key, bytesOf(1000, 2));
    expect((await direct.read(key, 0, 1000)).equals(bytesOf(1000, 2))).toBe(true);
  });

  it('given 16 large objects and a store that hangs, then their senders wait and memory stays flat, and all are stored in the end', async () => {
    const memoryBytes = 40 * MIB;
    const store = await open({ noProgressMs: 1500, memoryBytes });
    const bytes = bytesOf(12 * MIB, 5);
    const made = Array.from({ length: 16 }, newKey);
    let taken = 0;
    let hanging = 0;
    const before = process.memoryUsage();
    proxy.plan = ({ path }) => {
      if (!path.includes('partNumber')) return undefined;
      hanging += 1;
      return { kind: 'hang' };
    };
    const stored = Promise.all(made.map(async (key) => {
      const writer = await store.create(key);
      for (let at = 0; at < bytes.length; at += 256 * 1024) {
        await writer.write(bytes.subarray(at, at + 256 * 1024));
        taken += 256 * 1024;
      }
      await writer.commit();
    }));
    // Until nothing moves any more: what hangs is given up after 1.5 s and hangs again.
    for (let last = -1; last !== taken || hanging === 0; ) {
      last = taken;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    const during = process.memoryUsage();
    expect(taken).toBeLessThanOrEqual(memoryBytes + 5 * MIB);
    expect(during.arrayBuffers - before.arrayBuffers).toBeLessThan(memoryBytes + 24 * MIB);
    process.stderr.write(`taken ${taken / MIB} MiB of ${16 * 12} MiB, buffers +${Math.round((during.arrayBuffers - before.arrayBuffers) / MIB)} MiB, rss +${Math.round((during.rss - before.rss) / MIB)} MiB\n`);
    proxy.plan = undefined;
    await stored;
    for (const key of made) expect((await direct.head(key))?.sizeBytes).toBe(bytes.length);
    expect((await direct.read(made[15]!, 0, bytes.length)).equals(bytes)).toBe(true);
  });

  it('given 1,000 uploads of which most are cut, pretended, damaged or answered wrongly, then every commit that resolves is stored byte by byte', async () => {
    const store = await open();
    const wrong = createHash('sha256').update('wrong').digest('base64');
    const faults: HttpFault[] = [
      { kind: 'cut', side: 'request', afterBytes: 50 }, { kind: 'flip', side: 'request', atByte: 20 }, { kind: 'pretend' }, { kind: 'pretend', headers: { 'x-amz-checksum-sha256': wrong, etag: '"1"' } },
      { kind: 'headers', headers: { 'x-amz-checksum-sha256': wrong } }, { kind: 'headers', headers: { etag: '"0123"' } }, { kind: 'lost-answer' },
    ];
    proxy.plan = failingShare(0.6, 11, faults, ({ method }) => method === 'PUT');
    const resolved: [string, number][] = [];
    const rejected: unknown[] = [];
    await inParallel(1000, 16, async (number) => {
      const key = newKey();
      await put(store, key, bytesOf(100 + (number % 50), number)).then(() => resolved.push([key, number]), (error: unknown) => rejected.push(error));
    });
    proxy.plan = undefined;
    let wrongly = 0;
    await inParallel(resolved.length, 16, async (at) => {
      const [key, number] = resolved[at]!;
      const expected = bytesOf(100 + (number % 50), number);
      if (!(await direct.read(key, 0, expected.length)).equals(expected) || (await direct.head(key))!.sizeBytes !== expected.length) wrongly += 1;
    });
    process.stderr.write(`${resolved.length} resolved, ${rejected.length} rejected, ${proxy.seen.length} requests\n`);
    expect(wrongly).toBe(0);
    expect(resolved.length).toBeGreaterThan(500);
    for (const error of rejected) expect(error).toBeInstanceOf(UnavailableError);
  });

  it('given a server that always says "stored" and stores nothing, then the commit rejects', async () => {
    const store = await open();
    proxy.plan = ({ method }) => (method === 'PUT' ? { kind: 'pretend' } : undefined);
    await expect(put(store, newKey(), bytesOf(1000, 3))).rejects.toMatchObject({ constructor: UnavailableError, message: 'The object store has no trace of an object that was sent to it.' });
  });

  it('given a server that has stored something else, then the commit rejects and what it stored is removed', async () => {
    const store = await open();
    const headers = { 'x-amz-checksum-sha256': createHash('sha256').update('wrong').digest('base64') };
    proxy.plan = ({ method }) => (method === 'DELETE' ? undefined : { kind: 'headers', headers });
    const key = newKey();
    await expect(put(store, key, bytesOf(1000, 3))).rejects.toBeInstanceOf(CorruptDataError);
    expect(await direct.head(key)).toBeNull();
  });

  it('given an answer that was lost, then the repeated request meets its own success and the commit resolves', async () => {
    const store = await open();
    proxy.plan = once('PUT', { kind: 'lost-answer' });
    await put(store, newKey(), bytesOf(1000, 4));
    expect(seenMethods()).toBe('PUT PUT HEAD');
  });

  it('given the same bytes from another writer, then a repeated request does not take them for its own', async () => {
    const store = await open();
    const key = newKey();
    await put(direct, key, bytesOf(1000, 4));
    proxy.plan = once('PUT', { kind: 'cut', side: 'request', afterBytes: 10 }, ERRORS[0]!);
    await expect(put(store, key, bytesOf(1000, 4))).rejects.toBeInstanceOf(AlreadyExistsError);
    await expect(put(store, key, bytesOf(12 * MIB, 4))).rejects.toBeInstanceOf(AlreadyExistsError);
  });

  it('given a large object whose parts and completion are cut, damaged and answered into the void, then it is stored byte by byte', async () => {
    const store = await open();
    const bytes = bytesOf(17 * MIB + 5, 6);
    const key = newKey();
    const parts: HttpFault[] = [{ kind: 'cut', side: 'request', afterBytes: MIB }, { kind: 'flip', side: 'request', atByte: 4 * MIB }, { kind: 'lost-answer' }, { kind: 'headers', headers: { 'x-amz-checksum-sha256': 'wrong' } }, ERRORS[2]!];
    const completions: HttpFault[] = [ERRORS[0]!, { kind: 'lost-answer' }];
    proxy.plan = ({ method, path }) => (path.includes('partNumber') ? parts.shift() : method === 'POST' && path.includes('uploadId') ? completions.shift() : undefined);
    await put(store, key, bytes);
    expect([parts, completions]).toEqual([[], []]);
    expect((await direct.read(key, 0, bytes.length)).equals(bytes)).toBe(true);
  });

  it('given bodies that are cut, stalled and slow, then a reader gets every byte once', async () => {
    const store = await open({ noProgressMs: 200 });
    const key = newKey();
    const bytes = bytesOf(3 * MIB, 8);
    await put(direct, key, bytes);
    const faults = (): HttpFault[] => [{ kind: 'cut', side: 'response', afterBytes: 0 }, { kind: 'cut', side: 'response', afterBytes: 1000 }, { kind: 'stall', side: 'response', afterBytes: MIB }, { kind: 'slow', bytesPerSecond: 20 * MIB }];
    proxy.plan = once('GET', ...faults());
    expect((await store.read(key, 0, bytes.length)).equals(bytes)).toBe(true);
    proxy.plan = once('GET', ...faults());
    expect((await buffer(store.readStream(key, 100, bytes.length - 150))).equals(bytes.subarray(100, bytes.length - 50))).toBe(true);
  });

  it('given an object that was replaced while it was read, then a reader gets the one or the other, never a mixture', async () => {
    const store = await open();
    const key = newKey();
    const [before, after] = [bytesOf(3 * MIB, 20), bytesOf(3 * MIB, 21)];
    await put(direct, key, before);
    proxy.plan = once('GET', { kind: 'stall', side: 'response', afterBytes: MIB });
    const stream = store.readStream(key, 0, before.length)[Symbol.asyncIterator]();
    await stream.next();
    await direct.delete(key);
    await put(direct, key, after);
    proxy.dropConnections();
    await expect((async () => {
      while (!(await stream.next()).done);
    })()).rejects.toMatchObject({ constructor: CorruptDataError, message: 'The object is no longer the one whose reading began.' });
    expect((await store.read(key, 0, after.length)).equals(after)).toBe(true);
  });

  it('given bodies that break off again and again, then the reader is told and never gets less', async () => {
    const store = await open();
    const key = newKey();
    await put(direct, key, bytesOf(1000, 9));
    proxy.plan = ({ method }) => (method === 'GET' ? { kind: 'cut', side: 'response', afterBytes: 10 } : undefined);
    await expect(store.read(key, 0, 1000)).rejects.toMatchObject({ constructor: UnavailableError, message: 'The object store breaks off again and again.' });
  });

  it('given a flipped byte in the body of a whole object, then it is read again; if it stays flipped, it is corrupt', async () => {
    const store = await open();
    const key = newKey();
    await put(direct, key, bytesOf(1000, 10));
    proxy.plan = once('GET', { kind: 'flip', side: 'response', atByte: 500 });
    expect((await store.read(key, 0, 1000, { uncached: true })).equals(bytesOf(1000, 10))).toBe(true);
    proxy.plan = ({ method }) => (method === 'GET' ? { kind: 'flip', side: 'response', atByte: 500 } : undefined);
    await expect(store.read(key, 0, 1000, { uncached: true })).rejects.toBeInstanceOf(CorruptDataError);
    await expect(buffer(store.readStream(key, 0, 1000, { uncached: true }))).rejects.toBeInstanceOf(CorruptDataError);
  });

  it('given a reader that gives up, or that does not go on reading, then others are not kept waiting, and it gets the rest later', async () => {
    const store = await open({ maxConnections: 1, noProgressMs: 300 });
    const key = newKey();
    const bytes = bytesOf(3 * MIB, 12);
    await put(direct, key, bytes);
    const aborter = new AbortController();
    const aborted = store.readStream(key, 0, bytes.length, { signal: aborter.signal });
    const chunks = aborted[Symbol.asyncIterator]();
    await chunks.next();
    aborter.abort();
    await expect((async () => {
      while (!(await chunks.next()).done);
    })()).rejects.toBeInstanceOf(CancelledError);
    for await (const chunk of store.chunks(key, 0, bytes.length)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    const paused = store.chunks(key, 0, bytes.length)[Symbol.asyncIterator]();
    const read = [(await paused.next()).value as Buffer];
    expect((await store.read(key, 0, 100)).equals(bytes.subarray(0, 100))).toBe(true);
    proxy.dropConnections();
    for (let step = await paused.next(); !step.done; step = await paused.next()) read.push(step.value);
    expect(Buffer.concat(read).equals(bytes)).toBe(true);
  });
});

const killing = hasOwn('s3') ? describe : describe.skip;
killing('S3ObjectStore and a server that is killed', () => {
  let server: S3Server;
  let store: S3ObjectStore;

  beforeAll(async () => {
    server = await S3Server.start();
    store = await S3ObjectStore.open({ ...server.access, bucket: await server.createBucket(), partSizeBytes: 5 * MIB, retryPauseMs: 20, breakerOpenMs: 10 });
  }, 600_000);
  afterAll(async () => {
    store?.close();
    await server?.remove();
  });

  it('given kill -9 in the middle of a large object and a restart, then the object is stored byte by byte', async () => {
    const bytes = bytesOf(18 * MIB, 1);
    const writer = await store.create(workKey('large'));
    await writer.write(bytes.subarray(0, 12 * MIB));
    await server.kill();
    await server.restart();
    await writer.write(bytes.subarray(12 * MIB));
    await writer.commit();
    expect((await store.read(workKey('large'), 0, bytes.length)).equals(bytes)).toBe(true);
  });

  it('given kill -9 and no restart, then the writer is told, and what it left is found and given up later', async () => {
    const bytes = bytesOf(6 * MIB, 2);
    const writer = await store.create(workKey('orphan'));
    await writer.write(bytes);
    await server.kill();
    await expect(writer.commit()).rejects.toBeInstanceOf(UnavailableError);
    await server.restart();
    expect(await store.head(workKey('orphan'))).toBeNull();
    expect(await store.abortStaleUploads(3_600_000)).toEqual([]);
    expect(await store.abortStaleUploads(0)).toEqual([{ key: workKey('orphan'), startedAt: expect.any(Date) }]);
    expect(await store.abortStaleUploads(0)).toEqual([]);
  });
});
