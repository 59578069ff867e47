import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AlreadyExistsError, ConflictError } from '@perennia/errors';
import { workKey } from '@perennia/storage';
import { hasBackend, s3RequestOrThrow, S3Server, type S3BucketOptions } from '@perennia/testing';
import { S3ObjectStore } from './s3-object-store.js';

const suite = hasBackend('s3') ? describe : describe.skip;
const BYTES = Buffer.from('of this study');

suite('S3ObjectStore in buckets that keep versions and locks', () => {
  let server: S3Server;
  const opened: S3ObjectStore[] = [];

  beforeAll(async () => {
    server = await S3Server.use();
  }, 600_000);
  afterAll(async () => {
    for (const store of opened) store.close();
    await server?.remove();
  });

  async function openIn(options: S3BucketOptions): Promise<{ store: S3ObjectStore; bucket: string }> {
    const bucket = await server.createBucket(options);
    const store = await S3ObjectStore.open({ ...server.access, bucket });
    opened.push(store);
    return { store, bucket };
  }
  async function put(store: S3ObjectStore, key: string): Promise<void> {
    const writer = await store.create(key);
    await writer.write(BYTES);
    await writer.commit();
  }
  const versionsIn = (bucket: string): Promise<string> => s3RequestOrThrow(server.access, { method: 'GET', path: `/${bucket}`, query: { versions: '' } });
  const lock = (bucket: string, key: string, until: Date): Promise<string> => s3RequestOrThrow(server.access, {
    method: 'PUT', path: `/${bucket}/${key}`, query: { retention: '' },
    body: `<Retention xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Mode>COMPLIANCE</Mode><RetainUntilDate>${until.toISOString()}</RetainUntilDate></Retention>`,
  });
  const hold = (bucket: string, key: string, status: 'ON' | 'OFF'): Promise<string> => s3RequestOrThrow(server.access, {
    method: 'PUT', path: `/${bucket}/${key}`, query: { 'legal-hold': '' }, body: `<LegalHold xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>${status}</Status></LegalHold>`,
  });

  it('given a bucket with versions, when an object is removed, then neither a version nor a delete marker stays', async () => {
    const { store, bucket } = await openIn({ versioning: true });
    await put(store, workKey('a'));
    await store.delete(workKey('a'));
    const left = await versionsIn(bucket);
    expect(left).not.toMatch(/<Version>|<DeleteMarker>/);
  });

  it('given a bucket with versions, when many objects are removed at once, then nothing stays of them, by one listing and one removal, and others stay', async () => {
    const requests: string[] = [];
    const bucket = await server.createBucket({ versioning: true });
    const store = await S3ObjectStore.open({ ...server.access, bucket, onRequest: (operation) => requests.push(operation) });
    opened.push(store);
    const keys = Array.from({ length: 20 }, (_, n) => workKey('many', String(n)));
    for (const key of [...keys, workKey('many', 'other')]) await put(store, key);
    requests.length = 0;
    await store.deleteAll([...keys, workKey('many', 'never')]);
    expect(requests).toEqual(['ListObjectVersions', 'DeleteObjects']);
    const left = await versionsIn(bucket);
    expect(left.match(/<Key>[^<]*<\/Key>/g)).toEqual(['<Key>work/many/other</Key>']);
    expect(left).not.toMatch(/<DeleteMarker>/);
  });

  it('given a bucket whose versions are switched on later, when many objects are removed, then nothing stays of them', async () => {
    const { store, bucket } = await openIn({});
    for (const name of ['a', 'b']) await put(store, workKey(name));
    await server.setVersioning(bucket, 'Enabled');
    for (const name of ['c', 'd']) await put(store, workKey(name));
    await store.deleteAll(['a', 'b', 'c', 'd'].map((name) => workKey(name)));
    expect(await versionsIn(bucket)).not.toMatch(/<Version>|<DeleteMarker>/);
  });

  it('given a locked object among many, when they are removed, then that is refused and it stays', async () => {
    const { store, bucket } = await openIn({ objectLock: true });
    for (const name of ['a', 'b', 'c']) await put(store, workKey(name));
    await lock(bucket, workKey('b'), new Date(Date.now() + 3_600_000));
    await expect(store.deleteAll(['a', 'b', 'c'].map((name) => workKey(name)))).rejects.toBeInstanceOf(ConflictError);
    expect(await store.head(workKey('b'))).not.toBeNull();
    expect(await store.head(workKey('a'))).toBeNull();
  });

  it('given versions that somebody else wrote over an object, when it is removed, then none of them comes to light', async () => {
    const { store, bucket } = await openIn({ versioning: true });
    await put(store, workKey('a'));
    for (const body of ['one', 'two']) await s3RequestOrThrow(server.access, { method: 'PUT', path: `/${bucket}/${workKey('a')}`, body });
    await store.delete(workKey('a'));
    expect(await versionsIn(bucket)).not.toMatch(/<Version>|<DeleteMarker>/);
  });

  it('given a delete marker of somebody else, then the object is not there, and its name is used again or refused for good, as the server sees it', async () => {
    const { store, bucket } = await openIn({ versioning: true });
    await put(store, workKey('a'));
    await s3RequestOrThrow(server.access, { method: 'DELETE', path: `/${bucket}/${workKey('a')}` });
    expect(await store.head(workKey('a'))).toBeNull();
    const refused = await put(store, workKey('a')).catch((error: unknown) => error);
    if (refused) expect(refused).toMatchObject({ constructor: ConflictError, message: 'The object store says that the name is taken, and shows nothing under it.' });
    else await expect(put(store, workKey('a'))).rejects.toBeInstanceOf(AlreadyExistsError);
  });

  it('given a bucket whose versions were suspended, then objects come and go as in any other', async () => {
    const { store, bucket } = await openIn({ versioning: true });
    await server.setVersioning(bucket, 'Suspended');
    await put(store, workKey('a'));
    await store.delete(workKey('a'));
    expect(await store.head(workKey('a'))).toBeNull();
    expect(await versionsIn(bucket)).not.toMatch(/<Version>/);
  });

  it('given a locked object, when it is removed, then that is refused for good and the object stays visible', async () => {
    const { store, bucket } = await openIn({ objectLock: true });
    await put(store, workKey('a'));
    const until = new Date(Date.now() + 3_600_000);
    await lock(bucket, workKey('a'), until);
    const error = await store.delete(workKey('a')).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ constructor: ConflictError, retriable: false, message: expect.stringMatching(/^The object is locked until 20.*Z and cannot be removed\.$/) });
    expect((await store.read(workKey('a'), 0, BYTES.length)).equals(BYTES)).toBe(true);
    expect(await versionsIn(bucket)).not.toContain('<DeleteMarker>');
  });

  it('given an object under legal hold, then it can be removed when the hold has ended, and not before', async () => {
    const { store, bucket } = await openIn({ objectLock: true });
    await put(store, workKey('a'));
    await hold(bucket, workKey('a'), 'ON');
    await expect(store.delete(workKey('a'))).rejects.toMatchObject({ constructor: ConflictError, message: 'The object is under legal hold and cannot be removed.' });
    await hold(bucket, workKey('a'), 'OFF');
    await store.delete(workKey('a'));
    expect(await versionsIn(bucket)).not.toMatch(/<Version>|<DeleteMarker>/);
  });
});
