import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '@perennia/telemetry';
import { landingContract } from '@perennia/testing';
import { FileLanding } from './file-landing.js';
import { LandingFileReader } from './landing-file-reader.js';

/** Memory rather than a disk where there is one: these tests are about order and content, and open areas hundreds of times. */
const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

landingContract('FileLanding', async () => {
  const directory = mkdtempSync(join(base, 'landing-'));
  let current = join(directory, '0');
  let crashes = 0;
  const readers: LandingFileReader[] = [];
  return {
    open: () => FileLanding.open({
      directory: current, owner: 'test', clock: new SystemClock(), segmentBytes: 64 * 1024, segments: 4, maxSegments: 4, reserveBytes: 0, waitForSegmentMs: 20, graceMs: 5,
    }),
    // What stands in the files at this moment is what a killed process leaves; the locks of this process are not part of it.
    crash: async (landing) => {
      crashes += 1;
      const next = join(directory, String(crashes));
      cpSync(current, next, { recursive: true });
      for (const name of readdirSync(join(next, 'test'))) if (name.startsWith('owner.')) rmSync(join(next, 'test', name));
      await landing.close();
      current = next;
    },
    reader: () => {
      const reader = new LandingFileReader(current);
      readers.push(reader);
      return reader;
    },
    close: async () => {
      for (const reader of readers) reader.close();
      rmSync(directory, { recursive: true });
    },
  };
});
