import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ConfigurationError, UnavailableError } from '@perennia/errors';
import { workKey } from '@perennia/storage';
import { freePort, hasOwn, HttpFaultProxy, s3RequestOrThrow, S3Server, type HttpFault, type S3Access } from '@perennia/testing';
import type { S3ObjectStoreOptions } from './s3-options.js';
import { S3ObjectStore } from './s3-object-store.js';

const suite = hasOwn('s3') ? describe : describe.skip;

suite('S3ObjectStore and who may use the bucket', () => {
  let server: S3Server;
  let bucket: string;
  const opened: { close(): unknown }[] = [];

  beforeAll(async () => {
    server = await S3Server.start();
    bucket = await server.createBucket();
  }, 600_000);
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
  });
  afterAll(() => server?.remove());

  async function open(options: Partial<S3ObjectStoreOptions>): Promise<S3ObjectStore> {
    const store = await S3ObjectStore.open({ ...server.access, bucket, retryPauseMs: 5, ...options });
    opened.push(store);
    return store;
  }
  async function startProxy(): Promise<HttpFaultProxy> {
    const proxy = await HttpFaultProxy.start(server.access.endpoint);
    opened.push(proxy);
    return proxy;
  }
  const refusal = async (options: Partial<S3ObjectStoreOptions>): Promise<unknown> => open(options).then(() => undefined, (error: unknown) => error);
  const CREDENTIALS = 'Check access key and secret (VNA_S3_ACCESS_KEY_ID, VNA_S3_SECRET_ACCESS_KEY).';

  it.each<[string, (access: S3Access) => Partial<S3ObjectStoreOptions>, string, string]>([
    ['an access key that nobody has', () => ({ accessKeyId: 'nobody', secretAccessKey: 'nothing' }), 'The object store refuses to list objects (InvalidAccessKeyId).', CREDENTIALS],
    ['a wrong secret', () => ({ secretAccessKey: 'wrong' }), 'The object store refuses to list objects (SignatureDoesNotMatch).', CREDENTIALS],
    ['a bucket that does not exist', () => ({ bucket: 'no-such-bucket' }), 'The object store refuses to list objects (NoSuchBucket).', 'Create the bucket or correct VNA_S3_BUCKET.'],
    ['a wrong region', () => ({ region: 'eu-central-1' }), 'The object store refuses to list objects (AuthorizationHeaderMalformed).', 'Set VNA_S3_REGION to the region of the bucket.'],
  ])('given %s, then the start ends with one sentence that says what to do', async (_what, options, message, remedy) => {
    const error = await refusal(options(server.access));
    expect(error).toMatchObject({ constructor: ConfigurationError, message, remedy, retriable: false });
    expect(JSON.stringify({ ...(error as Error), message })).not.toContain(server.access.secretAccessKey);
  });

  it.each([
    ['list objects', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], 's3:ListBucket'],
    ['write objects', ['s3:ListBucket', 's3:ListBucketMultipartUploads', 's3:GetObject', 's3:DeleteObject'], 's3:PutObject'],
    ['read objects', ['s3:ListBucket', 's3:ListBucketMultipartUploads', 's3:PutObject', 's3:DeleteObject'], 's3:GetObject'],
    ['remove objects', ['s3:ListBucket', 's3:ListBucketMultipartUploads', 's3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'], 's3:DeleteObject, s3:DeleteObjectVersion'],
  ])('given a user who may not %s, then the permission that is missing is named', async (what, actions, permission) => {
    const own = await server.createBucket();
    const user = await server.createUser(own, actions);
    expect(await refusal({ ...user, bucket: own })).toMatchObject({ constructor: ConfigurationError, message: `The archive may not ${what} in its bucket.`, remedy: `Give its user the permission ${permission}.` });
  });

  it('given nobody at the address, then it says where nobody answers, and that it may pass', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    expect(await refusal({ endpoint })).toMatchObject({ constructor: UnavailableError, message: `The object store at ${endpoint} does not answer (ECONNREFUSED).`, retriable: true });
  });

  it('given a server that takes connections and never answers, then the start ends at its deadline', async () => {
    const proxy = await startProxy();
    proxy.plan = () => ({ kind: 'hang' });
    const startedMs = performance.now();
    expect(await refusal({ endpoint: proxy.endpoint, noProgressMs: 200, callDeadlineMs: 500 })).toMatchObject({ constructor: UnavailableError });
    expect(performance.now() - startedMs).toBeLessThan(3000);
  });

  it.each<[string, RegExp]>([['one request', /^PUT .*\/probe\/[^?]*(\?x-id=PutObject)?$/], ['parts', /^POST .*uploadId=/]])('given a server that overwrites by %s although it is asked not to, then nothing is entrusted to it', async (_how, second) => {
    const proxy = await startProxy();
    const pretended: HttpFault = { kind: 'pretend', body: '<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>' };
    const seen: string[] = [];
    proxy.plan = ({ method, path }) => {
      if (!second.test(`${method} ${path}`)) return undefined;
      seen.push(path);
      // The first PUT is the probe itself.
      return method === 'PUT' && seen.length === 1 ? undefined : pretended;
    };
    expect(await refusal({ endpoint: proxy.endpoint })).toMatchObject({ constructor: ConfigurationError, message: 'The object store overwrites objects although it is asked not to (If-None-Match).' });
  });

  it('given a bucket that locks every object by itself, then the start says that the archive sets the locks', async () => {
    const locking = await server.createBucket({ objectLock: true });
    const rule = '<ObjectLockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>';
    await s3RequestOrThrow(server.access, { method: 'PUT', path: `/${locking}`, query: { 'object-lock': '' }, body: rule });
    expect(await refusal({ bucket: locking })).toMatchObject({ constructor: ConfigurationError, message: 'The bucket locks every object by itself (default retention).' });
  });

  it('given a clock that is twenty minutes fast, then the store works all the same', async () => {
    jest.useFakeTimers({ now: Date.now() + 20 * 60_000, doNotFake: ['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
    try {
      const outcomes: string[] = [];
      const store = await open({ onRequest: (operation, outcome) => outcomes.push(`${operation} ${outcome}`) });
      expect(outcomes.slice(0, 2)).toEqual(['ListObjectsV2 failed', 'ListObjectsV2 ok']);
      expect(await store.head(workKey('nothing'))).toBeNull();
    } finally {
      jest.useRealTimers();
    }
  });

  it.each<[string, Partial<S3ObjectStoreOptions>]>([
    ['partSizeBytes', { partSizeBytes: 1024 }], ['memoryBytes', { memoryBytes: 12 * 1024 * 1024 }], ['endpoint', { endpoint: 'http://host/bucket' }], ['secretAccessKey', { secretAccessKey: undefined }],
    ['maxConnections', { maxConnections: 0 }], ['prefix', { prefix: '../x' }], ['bucket', { bucket: '' }],
  ])('given an impossible %s, then the option is named', async (option, options) => {
    expect(await refusal(options)).toMatchObject({ constructor: ConfigurationError, details: { option } });
  });

  it('leaves nothing of its probe in the bucket', async () => {
    const store = await open({ prefix: 'site-a' });
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
    expect(await s3RequestOrThrow(server.access, { method: 'GET', path: `/${bucket}`, query: { uploads: '' } })).not.toContain('<Upload>');
  });

  it('given a certificate of an authority of its own, then only who is told to trust it connects', async () => {
    const secured = await S3Server.start({ tls: true });
    opened.push({ close: () => secured.remove() });
    const own = await secured.createBucket();
    expect(await refusal({ ...secured.access, bucket: own })).toMatchObject({ constructor: ConfigurationError, remedy: 'Name the authority of its certificate with VNA_S3_CA_FILE.' });
    const store = await open({ ...secured.access, bucket: own, caFile: secured.caFile });
    expect(await store.head(workKey('nothing'))).toBeNull();
    expect(await refusal({ ...secured.access, caFile: '/no/such/file' })).toMatchObject({ constructor: ConfigurationError, remedy: 'Correct VNA_S3_CA_FILE.' });
  });
});
