// STOW-RS of a SOP Instance UID that is there: what is kept is told by the source's onConflict, and nothing that was received is lost silently.
import { afterEach, describe, expect, it } from '@jest/globals';
import { part10, seededUid } from '@perennia/testing';
import { WebArchive } from './web-archive.js';

const uids = { studyInstanceUid: seededUid('again-study'), seriesInstanceUid: seededUid('again-series'), sopInstanceUid: seededUid('again-instance') };
const [first, second] = [1, 2].map((pixelSeed) => part10({ ...uids, pixelSeed, pixelBytes: 512 }).bytes) as [Buffer, Buffer];
const path = `/studies/${uids.studyInstanceUid}/series/${uids.seriesInstanceUid}/instances/${uids.sopInstanceUid}`;
let archive: WebArchive;
afterEach(() => archive?.stop());

async function storeBoth(onConflict: 'keep-first' | 'supersede', both: readonly [Buffer, Buffer]): Promise<Buffer> {
  archive = await WebArchive.start({}, { profiles: [{ name: 'here', addresses: ['127.0.0.0/8'], onConflict }] } as Parameters<typeof WebArchive.start>[1]);
  for (const bytes of both) expect((await archive.stow([bytes])).status).toBe(200);
  expect(await archive.json(`/studies/${uids.studyInstanceUid}/instances`)).toHaveLength(1);
  return Buffer.from(await (await archive.get(path, { accept: 'application/dicom; transfer-syntax=*' })).arrayBuffer());
}
const duplicates = (): Promise<unknown[]> => archive.database.imaging.query('select kind from imaging.duplicate');
const versions = (): Promise<unknown[]> => archive.database.imaging.query('select version, state from imaging.instance order by version');

describe('the same SOP Instance UID again', () => {
  it('W03 with the same bytes is a success that changes nothing', async () => {
    expect((await storeBoth('supersede', [first, first])).equals(first)).toBe(true);
    expect(await duplicates()).toEqual([{ kind: 'redundant' }]);
    expect(await versions()).toEqual([{ version: 1, state: 'current' }]);
  });
  it('W03 with other bytes from a source that keeps the first: that is served, the other is kept as a conflict', async () => {
    expect((await storeBoth('keep-first', [first, second])).equals(first)).toBe(true);
    expect(await duplicates()).toEqual([{ kind: 'conflict' }]);
    expect(await versions()).toEqual([{ version: 1, state: 'current' }]);
  });
  it('W03 with other bytes from a source that supersedes: they are served, the first is kept as an earlier version', async () => {
    expect((await storeBoth('supersede', [first, second])).equals(second)).toBe(true);
    expect(await duplicates()).toEqual([]);
    expect(await versions()).toEqual([{ version: 1, state: 'superseded' }, { version: 2, state: 'current' }]);
  });
});
