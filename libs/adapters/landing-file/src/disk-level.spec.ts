import { describe, expect, it } from '@jest/globals';
import { StoreFullError } from '@perennia/errors';
import { SystemClock } from '@perennia/telemetry';
import { DiskLevel, type DiskLevelName } from './disk-level.js';
import { LandingDisk } from './landing-disk.js';

class DiskOfShare extends LandingDisk {
  share = 0;
  override async usedShare(): Promise<number> {
    return this.share;
  }
}

/** Each sleep ends when the test says so. */
class SteppedClock extends SystemClock {
  private wake: (() => void) | undefined;
  override sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.wake = resolve;
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  async step(): Promise<void> {
    await new Promise((done) => setImmediate(done));
    this.wake?.();
    await new Promise((done) => setImmediate(done));
  }
}

async function levelsOf(shares: readonly number[], stopAtPercent = 95): Promise<{ told: DiskLevelName[]; refused: boolean[] }> {
  const disk = new DiskOfShare();
  const clock = new SteppedClock();
  const told: DiskLevelName[] = [];
  const refused: boolean[] = [];
  const level = new DiskLevel({ folder: '/', disk, clock, warnAtPercent: 80, stopAtPercent, onDiskLevel: (name) => told.push(name) });
  await level.start();
  for (disk.share of shares) {
    await clock.step();
    refused.push(isRefused(level));
  }
  await level.stop();
  return { told, refused };
}
function isRefused(level: DiskLevel): boolean {
  try {
    level.assertRoom();
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(StoreFullError);
    return true;
  }
}

describe('DiskLevel', () => {
  it('given a disk that fills up and is emptied, then it warns at 80 %, refuses at 95 % and takes again by itself', async () => {
    expect(await levelsOf([0.5, 0.8, 0.9, 0.95, 0.99, 0.9, 0.2])).toEqual({
      told: ['low', 'full', 'low', 'ample'],
      refused: [false, false, false, true, true, false, false],
    });
  });

  it('given a disk that stays at its bounds, then it is told once', async () => {
    expect((await levelsOf([0.95, 0.949, 0.95, 0.945, 0.951, 0.935])).told).toEqual(['full', 'low']);
    expect((await levelsOf([0.8, 0.799, 0.801, 0.78])).told).toEqual(['low', 'ample']);
  });

  it('given 100, then nothing is refused', async () => {
    expect((await levelsOf([0.99, 1], 100)).refused).toEqual([false, false]);
  });

  it('given a real folder, then the share in use is between none and all', async () => {
    const share = await new LandingDisk().usedShare('/tmp');
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThanOrEqual(1);
  });
});
