// kill -9 of the process that writes an area, who may open it meanwhile and afterwards, and adoption.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConflictError } from '@perennia/errors';
import { processIdentity } from '@perennia/storage';
import { SystemClock } from '@perennia/telemetry';
import { allRecords, spawnSource } from '@perennia/testing';
import { FileLanding } from './file-landing.js';
import { LandingFileReader } from './landing-file-reader.js';

interface Facts {
  n: number;
  size: number;
}

describe('A landing area and its processes', () => {
  let directory: string;
  const clock = new SystemClock();
  const options = () => ({ directory, owner: 'o', clock, segmentBytes: 1024 * 1024, segments: 3, maxSegments: 1000, reserveBytes: 0, graceMs: 0 });

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'killed-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('keeps what was acknowledged through kills at random moments, each object whole and once', async () => {
    const acknowledged = new Set<number>();
    for (let round = 0; round < 5; round += 1) {
      const child = spawnSource(join(import.meta.dirname, '../test-processes/appending-writer.ts'), [directory, String(round * 1_000_000)]);
      const enough = 40 + round * 61;
      let seen = 0;
      child.on('message', (n) => {
        acknowledged.add(n as number);
        seen += 1;
        if (seen === enough) child.kill('SIGKILL');
      });
      await once(child, 'exit');
      expect(seen).toBeGreaterThanOrEqual(enough);
    }
    const landing = await FileLanding.open(options());
    const reader = new LandingFileReader(directory);
    const found = new Map<number, number>();
    for (const { receipt, place } of await allRecords(landing, null, 1000)) {
      const { n, size } = JSON.parse(receipt.toString()) as Facts;
      found.set(n, (found.get(n) ?? 0) + 1);
      expect((await reader.read(place, 0, size)).equals(Buffer.alloc(size, createHash('sha256').update(String(n)).digest()))).toBe(true);
    }
    expect([...acknowledged].filter((n) => found.get(n) !== 1)).toEqual([]);
    // Committed but not answered: at most what five appenders had under way at each kill.
    expect(found.size - acknowledged.size).toBeLessThanOrEqual(5 * 5);
    reader.close();
    await landing.close();
  }, 120_000);

  it('is written by one process at a time', async () => {
    const landing = await FileLanding.open(options());
    await expect(FileLanding.open(options())).rejects.toBeInstanceOf(ConflictError);
    await expect(FileLanding.adopt(options())).rejects.toBeInstanceOf(ConflictError);
    await landing.close();
    await (await FileLanding.open(options())).close();
  });

  it('opens after its holder died, also when the pid was given to somebody else', async () => {
    const folder = join(directory, 'o');
    for (const holder of [processIdentity().replace(/^(\d+)\.\d+/, '$1.17'), processIdentity().replace(/^\d+/, '4194304'), 'nonsense', '']) {
      const highest = Math.max(...readdirSync(folder).flatMap((name) => (name.startsWith('owner.lock.') ? [Number(name.slice(11))] : [])));
      writeFileSync(join(folder, `owner.lock.${highest + 1}`), holder);
      await (await FileLanding.open(options())).close();
    }
  });

  it('is drained by who adopts it, and removed when all is released', async () => {
    const adopted = await FileLanding.adopt(options());
    const records = await allRecords(adopted, null, 1000);
    expect(records.length).toBeGreaterThan(100);
    await expect(adopted.append('{}', [])).rejects.toThrow();
    const [first, ...others] = adopted.sealedSegments();
    await adopted.release(first!.generation);
    await adopted.close();
    const again = await FileLanding.adopt(options());
    expect(again.sealedSegments().map(({ generation }) => generation)).toEqual(others.map(({ generation }) => generation));
    for (const { generation } of again.sealedSegments()) await again.release(generation);
    await again.close();
    expect(existsSync(join(directory, 'o'))).toBe(false);
  });
});
