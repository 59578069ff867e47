// What recovery makes of segments that are not as they were written.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GROUP_ALIGNMENT_BYTES, HEAD_BYTES, decodeHead, encodeHead, recordBytes, type LandedRecord } from '@perennia/storage';
import { SystemClock } from '@perennia/telemetry';
import { allRecords } from '@perennia/testing';
import { FileLanding } from './file-landing.js';
import type { LandingDamage, LandingOptions } from './landing-options.js';

const SEGMENT_BYTES = 32 * 1024;
const clock = new SystemClock();
let directory: string;
let areas = 0;

beforeAll(() => {
  directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'torn-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const options = (area: string, more: Partial<LandingOptions> = {}): LandingOptions => ({
  directory: join(directory, area), owner: 'o', clock, segmentBytes: SEGMENT_BYTES, segments: 4, maxSegments: 8, reserveBytes: 0, graceMs: 0, waitForSegmentMs: 0, ...more,
});
const objectOf = (number: number, sizeBytes = 90): { bytes: Buffer; receipt: string } => {
  const bytes = Buffer.alloc(sizeBytes, createHash('sha256').update(String(number)).digest());
  return { bytes, receipt: JSON.stringify({ n: number, datasetSha256: createHash('sha256').update(bytes.subarray(10)).digest('hex'), datasetOffset: 10 }) };
};
const append = (landing: FileLanding, number: number, sizeBytes?: number): Promise<LandedRecord> => {
  const { bytes, receipt } = objectOf(number, sizeBytes);
  return landing.append(receipt, [bytes]);
};
const segmentFiles = (area: string): string[] => readdirSync(join(directory, area, 'o')).filter((name) => name.startsWith('seg-'));
const receiptNumbers = async (landing: FileLanding): Promise<number[]> => (await allRecords(landing, null, 100)).map(({ receipt }) => (JSON.parse(receipt.toString()) as { n: number }).n);

/** Makes an area whose first written segment has exactly these bytes, opens it and says what it holds. */
async function recovered(segments: Readonly<Record<string, Buffer>>, more: Partial<LandingOptions> = {}): Promise<{ numbers: number[]; damage: LandingDamage[]; torn: number; area: string }> {
  const area = `area-${++areas}`;
  mkdirSync(join(directory, area, 'o'), { recursive: true });
  for (const [name, bytes] of Object.entries(segments)) writeFileSync(join(directory, area, 'o', name), bytes);
  const damage: LandingDamage[] = [];
  const landing = await FileLanding.open(options(area, { ...more, onDamage: (each) => damage.push(each) }));
  const result = { numbers: await receiptNumbers(landing), damage, torn: landing.recovery.tornRecords, area };
  await landing.close();
  return result;
}

/** One segment: a record, a record, then two in one group. */
async function sample(sizeBytes?: number): Promise<{ file: string; bytes: Buffer; records: LandedRecord[]; ends: number[] }> {
  const area = `sample-${++areas}`;
  const landing = await FileLanding.open(options(area));
  const records = [await append(landing, 0, sizeBytes), await append(landing, 1, sizeBytes), ...(await Promise.all([append(landing, 2, sizeBytes), append(landing, 3, sizeBytes), append(landing, 4, sizeBytes)]))];
  await landing.close();
  const file = segmentFiles(area).find((name) => decodeHead(readFileSync(join(directory, area, 'o', name))))!;
  const ends = records.map((record) => record.position.offset + recordBytes(record.place.length, record.receipt.length));
  return { file, bytes: readFileSync(join(directory, area, 'o', file)), records, ends };
}

describe('A torn tail', () => {
  it.each(['cut off', 'zeros', 'garbage'])('is recognised at every byte of the segment: %s', async (how) => {
    const { file, bytes, records, ends } = await sample();
    // Every byte of every record, and the edges of the padding.
    const places = records.flatMap(({ position }, at) => Array.from({ length: ends[at]! - position.offset + 1 }, (_, n) => position.offset + n));
    for (const place of new Set(places)) {
      const torn = Buffer.from(how === 'cut off' ? bytes.subarray(0, place) : bytes);
      if (how === 'zeros') torn.fill(0, place);
      if (how === 'garbage') createHash('shake256', { outputLength: torn.length - place }).update(String(place)).digest().copy(torn, place);
      const found = await recovered({ [file]: torn });
      const whole = ends.filter((end, at) => end <= place || torn.subarray(records[at]!.position.offset, end).equals(bytes.subarray(records[at]!.position.offset, end)));
      expect({ place, numbers: found.numbers, damage: found.damage }).toEqual({ place, numbers: whole.map((_, at) => at), damage: [] });
      rmSync(join(directory, found.area), { recursive: true });
    }
  }, 120_000);

  it('is recognised when only the middle of the object did not reach the disk', async () => {
    const { file, bytes, records } = await sample(3000);
    const torn = Buffer.from(bytes);
    const { offset } = records[4]!.position;
    torn.fill(0, offset + HEAD_BYTES + 1000, offset + HEAD_BYTES + 1500);
    const found = await recovered({ [file]: torn });
    expect(found).toMatchObject({ numbers: [0, 1, 2, 3], torn: 1, damage: [] });
    // The cut is durable: the same again.
    const again = await FileLanding.open(options(found.area));
    expect(await receiptNumbers(again)).toEqual([0, 1, 2, 3]);
    expect(again.recovery.tornRecords).toBe(0);
    await again.close();
  });

  it('is cut together with what was written behind it', async () => {
    const area = `sample-${++areas}`;
    // Group 2 was written while group 1 was being synced: its heads do not vouch for group 1.
    const landing = await FileLanding.open(options(area));
    await append(landing, 0);
    const both = [append(landing, 1), append(landing, 2)];
    await Promise.all(both);
    await landing.close();
    const file = segmentFiles(area).find((name) => decodeHead(readFileSync(join(directory, area, 'o', name))))!;
    const bytes = readFileSync(join(directory, area, 'o', file));
    expect(decodeHead(bytes, 2 * GROUP_ALIGNMENT_BYTES)).toMatchObject({ sequence: 3, durableSequence: 1 });
    bytes.fill(0, GROUP_ALIGNMENT_BYTES + 100, GROUP_ALIGNMENT_BYTES + 200);
    expect(await recovered({ [file]: bytes })).toMatchObject({ numbers: [0], damage: [] });
  });
});

describe('Damage', () => {
  it('within what was acknowledged loses only the damaged record, is reported, and keeps the file', async () => {
    const { file, bytes, records } = await sample();
    for (const at of [0, 20, HEAD_BYTES + 100, HEAD_BYTES + 180]) {
      const damaged = Buffer.from(bytes);
      damaged[records[1]!.position.offset + at]! ^= 1;
      const found = await recovered({ [file]: damaged });
      expect(found.numbers).toEqual([0, 2, 3, 4]);
      expect(found.damage).toHaveLength(1);
      const landing = await FileLanding.open(options(found.area));
      for (const { generation } of landing.sealedSegments()) await landing.release(generation);
      await landing.close();
      expect(readdirSync(join(directory, found.area, 'o')).some((name) => name.startsWith(`${file}.damaged-`))).toBe(true);
    }
  });

  it('of the first head does not free the segment', async () => {
    const { file, bytes } = await sample();
    const damaged = Buffer.from(bytes);
    damaged[3]! ^= 1;
    const found = await recovered({ [file]: damaged });
    expect(found.numbers).toEqual([1, 2, 3, 4]);
    expect(found.damage).toHaveLength(1);
  });

  it('of an object that was acknowledged is found by its digest, and the record is kept', async () => {
    const { file, bytes, records } = await sample();
    const damaged = Buffer.from(bytes);
    damaged[records[0]!.position.offset + HEAD_BYTES + 50]! ^= 1;
    expect(await recovered({ [file]: damaged })).toMatchObject({ numbers: [0, 1, 2, 3, 4], damage: [] });
    const found = await recovered({ [file]: damaged }, { verify: 'all' });
    expect(found.numbers).toEqual([0, 1, 2, 3, 4]);
    expect(found.damage).toMatchObject([{ file, offset: 0, what: 'an object does not match its digest' }]);
  });
});

describe('A stale generation', () => {
  it('behind the tail is never taken for new', async () => {
    const area = `area-${++areas}`;
    let landing = await FileLanding.open(options(area, { segments: 2, maxSegments: 2 }));
    for (let round = 0; round < 6; round += 1) {
      // Ever fewer records, so that those of the last use stand right behind.
      for (let n = 0; n < 6 - round; n += 1) await append(landing, round * 100 + n);
      await landing.seal();
      const [sealed] = landing.sealedSegments();
      if (round < 4) await landing.release(sealed!.generation);
    }
    await landing.close();
    landing = await FileLanding.open(options(area, { segments: 2, maxSegments: 2 }));
    expect(await receiptNumbers(landing)).toEqual([400, 401, 500]);
    await landing.close();
  });

  it('whose sequence would fit is not taken either', async () => {
    const { file, bytes, records } = await sample();
    const next = records[2]!.position.offset;
    const head = decodeHead(bytes, next)!;
    const stale = Buffer.from(bytes);
    encodeHead({ ...head, generation: head.generation - 1 }).copy(stale, next);
    expect((await recovered({ [file]: stale })).numbers).toEqual([0, 1]);
  });
});
