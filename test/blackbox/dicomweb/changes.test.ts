// The change feed over HTTP: pages, and events for who follows.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { part10, seededUid } from '@perennia/testing';
import { WebArchive } from './web-archive.js';

interface Change {
  sequence: number;
  action: string;
  state: string;
  studyInstanceUid: string;
  studyVersion: number;
  study?: { version: number; numberOfInstances: number; retrieveUrl: string };
}
interface Page {
  changes: Change[];
  next: number;
  latest: number;
}
let archive: WebArchive;
const uidOf = (study: string): string => seededUid(`changes-${study}`);

async function store(study: string, instance: string): Promise<void> {
  const stored = await archive.stow([part10({ studyInstanceUid: uidOf(study), seriesInstanceUid: `${uidOf(study)}.1`, sopInstanceUid: seededUid(`changes-${study}-${instance}`) }).bytes]);
  expect(stored.status).toBe(200);
}
const page = async (query = ''): Promise<Page> => (await (await archive.get(`/changes${query}`)).json()) as Page;

/** Asks until the feed has so many changes: they are told a moment after they were committed. */
async function changesOf(count: number, since = 0): Promise<Page> {
  for (;;) {
    const found = await page(`?since=${since}`);
    if (found.changes.length >= count) return found;
  }
}

/** Events as they come, and whatever else does. */
class Follower {
  private text = '';
  private constructor(readonly response: Response, private readonly reader: ReadableStreamDefaultReader<Uint8Array>) {}

  static async open(headers: Record<string, string> = {}, query = ''): Promise<Follower> {
    const response = await archive.get(`/changes${query}`, { accept: 'text/event-stream', ...headers });
    return new Follower(response, response.body!.getReader() as ReadableStreamDefaultReader<Uint8Array>);
  }
  /** Reads until what came matches. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.text)) {
      const { done, value } = await this.reader.read();
      if (done) throw new Error(`The stream ended with ${this.text}`);
      this.text += Buffer.from(value).toString();
    }
    return this.text;
  }
  get ids(): number[] {
    return [...this.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  }
  async close(): Promise<void> {
    await this.reader.cancel();
  }
}

beforeAll(async () => {
  archive = await WebArchive.start({ maxFollowers: 2, changesHeartbeat: '100ms' });
}, 60_000);
afterAll(() => archive?.stop());

describe('GET /changes', () => {
  it('E01 tells of new studies and of more instances, with what has become of each', async () => {
    await store('one', 'a');
    await changesOf(1);
    await store('one', 'b');
    const { changes, next, latest } = await changesOf(2);
    expect(changes.map(({ action, state, studyInstanceUid }) => [action, state, studyInstanceUid])).toEqual([['create', 'replaced', uidOf('one')], ['update', 'current', uidOf('one')]]);
    expect(changes[1]!.study).toEqual({ version: changes[1]!.studyVersion, numberOfSeries: 1, numberOfInstances: 2, retrieveUrl: `${archive.root}/studies/${uidOf('one')}` });
    expect([next, latest]).toEqual([changes[1]!.sequence, changes[1]!.sequence]);
  });
  it('E01 goes on from a cursor, page by page, and from now', async () => {
    const first = await page('?limit=1');
    expect([first.changes.length, first.next < first.latest]).toEqual([1, true]);
    expect((await page(`?since=${first.next}&limit=1`)).changes[0]!.sequence).toBeGreaterThan(first.next);
    expect(await page('?since=latest')).toEqual({ changes: [], next: first.latest, latest: first.latest });
  });
  it.each([[400, '?since=x'], [400, '?limit=0'], [409, '?since=999999']])('E01 answers %d to %s, in words', async (status, query) => {
    const response = await archive.get(`/changes${query}`);
    expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
  });
  it('E01 answers 406 with the alternatives', async () => {
    const response = await archive.get('/changes', { accept: 'text/html' });
    expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([406, expect.stringContaining('text/event-stream')]);
  });
});

describe('server-sent events of changes', () => {
  it('E01 come as changes do, and go on after Last-Event-ID without gap or repetition', async () => {
    const { latest } = await page('?since=latest');
    const live = await Follower.open();
    expect([live.response.status, live.response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    await live.until(/^retry: 3000$/m);
    await store('two', 'a');
    const text = await live.until(/^id: \d+\nevent: create\ndata: \{.*\}\n\n/m);
    expect(JSON.parse(/^data: (.*)$/m.exec(text)![1]!)).toMatchObject({ action: 'create', studyInstanceUid: uidOf('two') });
    await live.close();
    await store('three', 'a');
    await changesOf(2, latest);
    const again = await Follower.open({ 'last-event-id': String(live.ids.at(-1)) }, '?since=0');
    await again.until(new RegExp(`data: .*${uidOf('three')}`));
    const all = (await page(`?since=${latest}`)).changes.map(({ sequence }) => sequence);
    expect([...live.ids, ...again.ids]).toEqual(all);
    await again.close();
  });
  it('E01 are kept alive by comments', async () => {
    const quiet = await Follower.open();
    await quiet.until(/^:\n\n:$/m);
    await quiet.close();
  });
  it('E01 are for so many clients; the next is told to come later, and may when one has left', async () => {
    const [one, two] = [await Follower.open(), await Follower.open()];
    await Promise.all([one.until(/retry/), two.until(/retry/)]);
    const refused = await archive.get('/changes', { accept: 'text/event-stream' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    await refused.arrayBuffer();
    await one.close();
    let third = await Follower.open();
    while (third.response.status === 503) third = await Follower.open();
    await third.until(/retry/);
    await Promise.all([two.close(), third.close()]);
  });
  it('E01 refuse a cursor that the feed has not reached before anything is sent', async () => {
    let refused = await archive.get('/changes?since=999999', { accept: 'text/event-stream' });
    while (refused.status === 503) refused = await archive.get('/changes?since=999999', { accept: 'text/event-stream' });
    expect([refused.status, refused.headers.get('content-type')]).toEqual([409, 'application/problem+json']);
  });
  it('E01 end when the service stops, which waits for nobody', async () => {
    const other = await WebArchive.start();
    const response = await fetch(`${other.root}/changes`, { headers: { accept: 'text/event-stream' } });
    const text = response.text();
    await other.stop();
    expect(await text).toMatch(/^retry: 3000\n\n/);
  });
});
