// Disks that are full, slow or broken, by the seam of the file system; a really full one by a tmpfs where that may be mounted.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StoreFullError, UnavailableError } from '@perennia/errors';
import type { LandedRecord } from '@perennia/storage';
import { SystemClock } from '@perennia/telemetry';
import { allRecords } from '@perennia/testing';
import { FileLanding } from './file-landing.js';
import { LandingDisk } from './landing-disk.js';
import { LandingFileReader } from './landing-file-reader.js';

const SEGMENT_BYTES = 64 * 1024;

class FaultyDisk extends LandingDisk {
  failWrite: string | undefined;
  /** Bytes of the next write that get to the disk before it fails. */
  partialBytes = 0;
  failSync: string | undefined;
  hold: Promise<void> | undefined;
  holdSync: Promise<void> | undefined;
  loneSyncs = 0;
  writesUnderWay = 0;
  syncsUnderWay = 0;
  mostUnderWay = 0;

  override async writev(descriptor: number, buffers: readonly Uint8Array[], position: number): Promise<number> {
    this.writesUnderWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.writesUnderWay);
    try {
      await this.hold;
      if (this.failWrite) {
        super.writeSync(descriptor, Buffer.concat(buffers).subarray(0, this.partialBytes), position);
        throw Object.assign(new Error('injected'), { code: this.failWrite });
      }
      return await super.writev(descriptor, buffers, position);
    } finally {
      this.writesUnderWay -= 1;
    }
  }
  override async fdatasync(descriptor: number): Promise<void> {
    this.syncsUnderWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.syncsUnderWay);
    try {
      await this.hold;
      await this.holdSync;
      if (this.failSync) throw Object.assign(new Error('injected'), { code: this.failSync });
      await super.fdatasync(descriptor);
    } finally {
      this.syncsUnderWay -= 1;
    }
  }
  override fdatasyncSync(descriptor: number): void {
    if (this.failSync) throw Object.assign(new Error('injected'), { code: this.failSync });
    this.loneSyncs += 1;
    super.fdatasyncSync(descriptor);
  }
}

const objectOf = (n: number): { receipt: string; bytes: Buffer } => {
  const bytes = Buffer.alloc(5000, createHash('sha256').update(String(n)).digest());
  return { bytes, receipt: JSON.stringify({ n, datasetOffset: 0, datasetSha256: createHash('sha256').update(bytes).digest('hex') }) };
};
const append = (landing: FileLanding, n: number): Promise<LandedRecord> => {
  const { bytes, receipt } = objectOf(n);
  return landing.append(receipt, [bytes]);
};
const numbers = async (landing: FileLanding): Promise<number[]> => (await allRecords(landing)).map(({ receipt }) => (JSON.parse(receipt.toString()) as { n: number }).n);

describe('A failing disk', () => {
  let directory: string;
  let disk: FaultyDisk;
  let landing: FileLanding;
  const open = (more: object = {}): Promise<FileLanding> => FileLanding.open({
    directory, owner: 'o', clock: new SystemClock(), segmentBytes: SEGMENT_BYTES, segments: 3, maxSegments: 6, reserveBytes: 0, graceMs: 0, waitForSegmentMs: 0, synchronousBytes: 0, disk, ...more,
  });

  beforeEach(async () => {
    directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'failing-'));
    disk = new FaultyDisk();
    landing = await open();
  });
  afterEach(async () => {
    await landing.close();
    rmSync(directory, { recursive: true });
  });

  it.each([0, 64, 3000, 20_480])('that is full after %d bytes of a group refuses all who wait, keeps nothing of them, and goes on when there is room', async (partialBytes) => {
    await append(landing, 0);
    Object.assign(disk, { failWrite: 'ENOSPC', partialBytes });
    const refused = await Promise.allSettled([1, 2, 3, 4].map((n) => append(landing, n)));
    for (const each of refused) expect(each).toMatchObject({ status: 'rejected', reason: expect.any(StoreFullError) });
    expect(await numbers(landing)).toEqual([0]);
    disk.failWrite = undefined;
    await landing.close();
    landing = await open();
    expect(await numbers(landing)).toEqual([0]);
    await append(landing, 5);
    expect(await numbers(landing)).toEqual([0, 5]);
  });

  it('is never asked to sync the same file again after a failed sync', async () => {
    const first = await append(landing, 0);
    disk.failSync = 'EIO';
    const refused = await Promise.allSettled([1, 2, 3].map((n) => append(landing, n)));
    for (const each of refused) expect(each).toMatchObject({ status: 'rejected', reason: expect.any(UnavailableError) });
    disk.failSync = undefined;
    const next = await append(landing, 4);
    expect(next.place.key).not.toBe(first.place.key);
    expect(landing.sealedSegments().map(({ key }) => key)).toContain(first.place.key);
    expect(await numbers(landing)).toEqual([0, 4]);
    await landing.close();
    landing = await open();
    expect(await numbers(landing)).toEqual([0, 4]);
    await landing.release(first.position.generation);
    await append(landing, 5);
    expect(await numbers(landing)).toEqual([4, 5]);
  });

  it('given a lone sender, whose syncs the calling thread makes, then a failed one refuses him, and he goes on in another segment', async () => {
    await landing.close();
    landing = await open({ loneSyncMs: 60_000, segmentBytes: 4 * SEGMENT_BYTES });
    const alone = async (n: number): Promise<LandedRecord> => {
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      return append(landing, n);
    };
    for (let n = 0; n < 8; n++) await alone(n);
    const last = await alone(8);
    expect(disk.loneSyncs).toBeGreaterThan(0);
    disk.failSync = 'EIO';
    await expect(alone(9)).rejects.toBeInstanceOf(UnavailableError);
    disk.failSync = undefined;
    const next = await alone(10);
    expect(next.place.key).not.toBe(last.place.key);
    const kept = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10];
    expect(await numbers(landing)).toEqual(kept);
    await landing.close();
    landing = await open({ segmentBytes: 4 * SEGMENT_BYTES });
    expect(await numbers(landing)).toEqual(kept);
  });

  it('leaves a segment that cannot be written', async () => {
    const first = await append(landing, 0);
    Object.assign(disk, { failWrite: 'EIO', partialBytes: 4096 });
    await expect(append(landing, 1)).rejects.toBeInstanceOf(UnavailableError);
    disk.failWrite = undefined;
    const next = await append(landing, 2);
    expect(next.place.key).not.toBe(first.place.key);
    expect(await numbers(landing)).toEqual([0, 2]);
    await landing.close();
    landing = await open();
    expect(await numbers(landing)).toEqual([0, 2]);
  });

  it('that is slow gathers those who wait; one write and one sync are under way', async () => {
    const gate = new EventEmitter();
    disk.hold = once(gate, 'open').then(() => undefined);
    const pending = Array.from({ length: 30 }, (_, n) => append(landing, n));
    expect(await numbers(landing)).toEqual([]);
    gate.emit('open');
    await Promise.all(pending);
    expect(disk.mostUnderWay).toBe(1);
    expect(await numbers(landing)).toEqual(Array.from({ length: 30 }, (_, n) => n));
  });

  it('gets its time: nothing is acknowledged before the sync that covers it has returned', async () => {
    const gate = new EventEmitter();
    disk.holdSync = once(gate, 'open').then(() => undefined);
    const acknowledged: number[] = [];
    const first = append(landing, 0).then(() => acknowledged.push(0));
    while (disk.syncsUnderWay === 0) await new Promise((resolve) => setImmediate(resolve));
    // Written while the first sync is under way: the next sync covers it, not this one.
    const second = append(landing, 1).then(() => acknowledged.push(1));
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(acknowledged).toEqual([]);
    const secondGate = new EventEmitter();
    disk.holdSync = once(secondGate, 'open').then(() => undefined);
    gate.emit('open');
    await first;
    expect(acknowledged).toEqual([0]);
    secondGate.emit('open');
    await second;
  });

  it.each(['failWrite', 'failSync'] as const)('refuses a stream and removes its file: %s', async (fault) => {
    const stream = await landing.openStream();
    await stream.write(Buffer.alloc(3_000_000));
    disk[fault] = 'ENOSPC';
    await expect(stream.commit('{}')).rejects.toBeInstanceOf(StoreFullError);
    disk[fault] = undefined;
    expect(readdirSync(join(directory, 'o')).filter((name) => name.startsWith('stream'))).toEqual([]);
    expect(await numbers(landing)).toEqual([]);
    await append(landing, 1);
  });

  it('has no room for an announced object', async () => {
    await expect(landing.openStream(1e18)).rejects.toBeInstanceOf(StoreFullError);
  });
});

describe('A full file system', () => {
  const folder = join(tmpdir(), `landing-full-${process.pid}`);
  const mounted = process.getuid?.() === 0 && (mkdirSync(folder, { recursive: true }), spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder]).status === 0);
  if (!mounted) process.stderr.write('SKIPPING the full file system: no right to mount a tmpfs here.\n');

  (mounted ? it : it.skip)('refuses cleanly and recovers without a restart when there is room again', async () => {
    try {
      const landing = await FileLanding.open({
        directory: folder, owner: 'o', clock: new SystemClock(), segmentBytes: 1024 * 1024, segments: 4, maxSegments: 64, reserveBytes: 0, graceMs: 0, waitForSegmentMs: 0,
      });
      const kept = [await append(landing, 0)];
      writeFileSync(join(folder, 'ballast'), Buffer.alloc(3 * 1024 * 1024));
      let failure: unknown;
      for (let n = 1; n < 3000 && !failure; n += 1) await append(landing, n).then((record) => kept.push(record), (error: unknown) => (failure = error));
      expect(failure).toBeInstanceOf(StoreFullError);
      expect(await numbers(landing)).toEqual(kept.map((_, n) => n));
      rmSync(join(folder, 'ballast'));
      kept.push(await append(landing, kept.length));
      expect(await numbers(landing)).toEqual(kept.map((_, n) => n));
      const reader = new LandingFileReader(folder);
      for (const [n, { place }] of kept.entries()) expect((await reader.read(place, 0, 5000)).equals(objectOf(n).bytes)).toBe(true);
      reader.close();
      await landing.close();
    } finally {
      spawnSync('umount', [folder]);
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
