// The change feed on a real PostgreSQL: order, pages, states, its plan, and that no reader misses what is written beside it.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { STUDY_CHANGED, type StudyChanged } from '@perennia/contracts';
import { ConflictError } from '@perennia/errors';
import { OutboxRelay, OutboxWriter } from '@perennia/messaging';
import { createLogger, SystemClock } from '@perennia/telemetry';
import { cloneTemplateDatabase, generateCatalogue, generatedUid, MemoryEventLog, MemoryLogStore, type TestDatabase } from '@perennia/testing';
import { CHANGES_AFTER, ChangeFeed, FEED_START } from './change-feed.js';

type Told = Pick<StudyChanged, 'studyInstanceUid' | 'studyVersion' | 'reasons'>;
let database: TestDatabase;
let feed: ChangeFeed;
const writer = new OutboxWriter('imaging');
const relay = (): OutboxRelay => new OutboxRelay(database.imaging, new MemoryEventLog(new MemoryLogStore()), new SystemClock(), createLogger('test', 'silent'));

/** Written in a transaction of its own, which stays open for a while. */
async function write(told: readonly Told[], tenantId = 'default', openMs = 0): Promise<void> {
  await database.imaging.transaction(async (sql) => {
    const buckets = await sql.query<{ bucket: number }>('select bucket from imaging.study where study_instance_uid = $1', [told[0]!.studyInstanceUid]);
    await writer.write(sql, told.map((data) => ({
      id: randomUUID(), type: STUDY_CHANGED, version: 1, tenantId, key: 'k', bucket: buckets[0]?.bucket ?? 0, occurredAt: new Date(0).toISOString(), producer: 'test',
      data: { ...data, numberOfSeries: 1, numberOfInstances: 1 },
    })));
    if (openMs > 0) await sql.query('select pg_sleep($1)', [openMs / 1000]);
  });
}
async function relayAll(): Promise<void> {
  for (const one = relay(); (await one.turn()) !== 'empty'; );
}
const told = (studyInstanceUid: string, studyVersion: number, ...reasons: StudyChanged['reasons']): Told => ({ studyInstanceUid, studyVersion, reasons });

beforeAll(async () => {
  database = await cloneTemplateDatabase({ poolSize: 12 });
  feed = new ChangeFeed(database.imaging);
  await generateCatalogue(database.imaging, { studies: 3000, seriesPerStudy: 1, instancesPerSeries: 1 });
}, 60_000);
afterAll(() => database.close());
beforeEach(() => database.imaging.query('truncate imaging.outbox, imaging.study_change'));

describe('ChangeFeed', () => {
  it('E01 gives pages that follow one another, each with the place where the next begins and the latest of all', async () => {
    await write(Array.from({ length: 7 }, (_, index) => told(`1.2.${index}`, 1, 'instances')));
    await write([told('1.2.7', 1, 'instances')], 'other');
    await relayAll();
    const uids: string[] = [];
    let since = FEED_START;
    for (let pages = 0; pages < 3; pages++) {
      const { changes, next, latest } = await feed.after('default', since, 3);
      uids.push(...changes.map(({ studyInstanceUid }) => studyInstanceUid));
      expect(next === latest).toBe(pages === 2);
      since = next;
    }
    expect(uids).toEqual(Array.from({ length: 7 }, (_, index) => `1.2.${index}`));
    expect(await feed.after('default', since, 3)).toEqual({ changes: [], next: since, latest: since });
  });
  it('E01 tells what happened and what has become of it', async () => {
    const uid = generatedUid({}, 1);
    const [study] = await database.imaging.query<{ version: number }>('select version from imaging.study where study_instance_uid = $1', [uid]);
    await write([told(uid, study!.version, 'instances'), told(uid, study!.version + 5, 'settled', 'placement'), told('1.2.3', 4, 'deleted')]);
    await relayAll();
    const { changes } = await feed.after('default', FEED_START, 10);
    expect(changes.map(({ action, state }) => [action, state])).toEqual([[study!.version === 1 ? 'create' : 'update', 'current'], ['update', 'replaced'], ['delete', 'deleted']]);
    expect(changes[0]!.study).toEqual({ version: study!.version, numberOfSeries: 1, numberOfInstances: 1 });
    expect(changes[2]!.study).toBeUndefined();
  });
  it('E01 refuses a cursor that it has not reached', async () => {
    await expect(feed.after('default', FEED_START + 1, 10)).rejects.toThrow(ConflictError);
    expect(await feed.after('default', FEED_START, 10)).toEqual({ changes: [], next: FEED_START, latest: FEED_START });
  });
  it('E01 is read by its index', async () => {
    await database.imaging.query(`insert into imaging.study_change (tenant_id, bucket, study_instance_uid, study_version, reasons, occurred_at)
      select 'default', bucket, study_instance_uid, 1, '{instances}', now() from imaging.study, generate_series(1, 10)`);
    await database.imaging.query('analyze imaging.study_change');
    const shown = (await database.imaging.query<{ 'QUERY PLAN': string }>(`explain ${CHANGES_AFTER.sql}`, ['default', 29_000, 100])).map((row) => row['QUERY PLAN']).join('\n');
    expect(shown).toMatch(/study_change_(feed|pkey)/);
    expect(shown).toMatch(/study_(uid|pkey)/);
    expect(shown).not.toMatch(/Seq Scan/);
  });
  it('E01 never lets a reader miss a change that is committed late, with several relays at work', async () => {
    const COUNT = 60;
    const writing = Promise.all(Array.from({ length: 6 }, async (_, lane) => {
      // Of each ten, one stays open so long that all others pass it by.
      for (let index = lane; index < COUNT; index += 6) await write([told(`1.2.${index}`, 1, 'instances')], 'default', index % 10 === 0 ? 100 : 0);
    }));
    let isOver = false;
    const relays = Promise.all([relay(), relay()].map(async (each) => {
      for (let turn = ''; !(isOver && turn === 'empty'); ) turn = await each.turn();
    }));
    const seen: string[] = [];
    const reading = (async () => {
      for (let since = FEED_START; seen.length < COUNT; ) {
        const { changes, next } = await feed.after('default', since, 5);
        seen.push(...changes.map(({ studyInstanceUid }) => studyInstanceUid));
        since = next;
      }
    })();
    await writing;
    isOver = true;
    await relays;
    await reading;
    expect(new Set(seen).size).toBe(COUNT);
  }, 30_000);
});
