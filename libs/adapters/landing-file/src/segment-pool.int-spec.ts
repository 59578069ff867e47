// How the pool gives out segments while they become scarce.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@perennia/telemetry';
import { FileLanding } from './file-landing.js';

class RecordingClock extends SystemClock {
  readonly sleeps: number[] = [];
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    // Whoever waits for the last segment, which is just being filled, really waits.
    return super.sleep(ms === WAIT_MS ? ms : 0, signal);
  }
}

const SEGMENT_BYTES = 64 * 1024;
const WAIT_MS = 4000;

describe('SegmentPool', () => {
  let directory: string;
  let clock: RecordingClock;
  let landing: FileLanding;

  beforeEach(async () => {
    directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'pool-'));
    clock = new RecordingClock();
    landing = await FileLanding.open({ directory, owner: 'o', clock, segmentBytes: SEGMENT_BYTES, segments: 2, maxSegments: 10, reserveBytes: 0, waitForSegmentMs: WAIT_MS, graceMs: 0 });
  });
  afterEach(async () => {
    await landing.close();
    rmSync(directory, { recursive: true });
  });

  it('given more and more segments in use, then each further one comes later, and nobody is refused before the last', async () => {
    const object = Buffer.alloc(50_000, 1);
    for (let n = 0; n < 10; n++) await landing.append(JSON.stringify({ n }), [object]);
    const brakes = clock.sleeps.filter((ms) => ms >= WAIT_MS / 40 && ms !== WAIT_MS);
    // The last two: 8 and 9 of 10 in use when it is asked for.
    expect(brakes.map(Math.round)).toEqual([200, 600]);
  });
});
