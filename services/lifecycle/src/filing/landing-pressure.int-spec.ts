import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { cloneTemplateDatabase, type TestDatabase } from '@perennia/testing';
import { LandingPressure } from './landing-pressure.js';

const PRESSURE = { settle: 60_000, hurrySettle: 2000, hurrySegments: 3, filers: 4, maxSegments: 20 };
let database: TestDatabase;

beforeAll(async () => {
  database = await cloneTemplateDatabase();
});
afterAll(() => database.close());
beforeEach(() => database.imaging.query('truncate imaging.segment, imaging.relay_position'));

describe('LandingPressure', () => {
  it.each([
    // [segments in use, something is received, what is expected]
    [0, true, { level: 'calm', settleMs: 60_000, filers: 1, rest: 1 }],
    [0, false, { level: 'calm', settleMs: 60_000, filers: 1, rest: 0 }],
    [4, true, { level: 'hurried', settleMs: 2000, filers: 1, rest: 1 }],
    [7, false, { level: 'full', settleMs: 0, filers: 1, rest: 0 }],
    [9, true, { level: 'full', settleMs: 0, filers: 1, rest: 1 }],
    [10, true, { level: 'full', settleMs: 0, filers: 1, rest: 0 }],
    [12, true, { level: 'full', settleMs: 0, filers: 3, rest: 0 }],
    [14, true, { level: 'full', settleMs: 0, filers: 4, rest: 0 }],
    [20, true, { level: 'full', settleMs: 0, filers: 4, rest: 0 }],
  ])('with %d of 20 segments in use (reception: %s) knows how hard to work', async (segments, receiving, expected) => {
    const { imaging } = database;
    if (receiving) await imaging.query(`insert into imaging.relay_position (owner, generation, offset_bytes) values ('other', 1, 0)`);
    await imaging.query(`insert into imaging.segment (owner, generation, object_key) select 'other', n, 'other/seg-0001@' || n from generate_series(1, $1::int) n`, [segments]);
    expect(await new LandingPressure(imaging, PRESSURE).look()).toEqual({ ...expected, receiving });
  });

  it('hurries from three eighths of the largest area on, whatever the setting', async () => {
    const { imaging } = database;
    await imaging.query(`insert into imaging.segment (owner, generation, object_key) select 'other', n, 'other/seg-0001@' || n from generate_series(1, 8) n`);
    expect(await new LandingPressure(imaging, { ...PRESSURE, hurrySegments: 100 }).look()).toMatchObject({ level: 'hurried', settleMs: 2000 });
  });
});
