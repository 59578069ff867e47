// Objects in a bucket of an S3 object store, under the contract of the port: nothing is visible before it is whole, nothing is ever
// overwritten, and nothing is said to be stored before the server has shown its digest.
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { CorruptDataError } from '@perennia/errors';
import { ObjectStore, type ObjectInfo, type ObjectWriter, type ReadOptions, type StaleUpload } from '@perennia/storage';
import { checkAccess } from './check-access.js';
import type { BreakerState } from './circuit-breaker.js';
import { PartMemory } from './part-memory.js';
import { readRange } from './read-range.js';
import { readUpTo } from './read-up-to.js';
import { removeObjects } from './remove-objects.js';
import { S3Bucket } from './s3-bucket.js';
import { S3Calls } from './s3-calls.js';
import { s3Client } from './s3-client.js';
import { S3ObjectWriter } from './s3-object-writer.js';
import { resolveOptions, type S3ObjectStoreOptions } from './s3-options.js';
import { abortStaleUploads } from './stale-uploads.js';
import { lookAt, removeObject } from './stored-object.js';

export class S3ObjectStore extends ObjectStore {
  override readonly isRemote = true;

  private constructor(private readonly bucket: S3Bucket, private readonly memory: PartMemory) {
    super();
  }

  /**
   * Checks that the bucket is there and can do what the archive relies on; a probe comes and goes under `work/probe/`.
   * @throws ConfigurationError with the one thing to change; UnavailableError when nobody answers
   */
  static async open(options: S3ObjectStoreOptions): Promise<S3ObjectStore> {
    const resolved = resolveOptions(options);
    const bucket = new S3Bucket(s3Client(resolved), new S3Calls(resolved), resolved);
    const store = new S3ObjectStore(bucket, new PartMemory(resolved.memoryBytes, resolved.partSizeBytes));
    try {
      await checkAccess(bucket, store.memory, options.endpoint ?? `Amazon S3 in ${options.region}`);
      return store;
    } catch (error) {
      store.close();
      throw error;
    }
  }

  /** Whether requests are let through at the moment. */
  get breakerState(): BreakerState {
    return this.bucket.calls.breaker.state;
  }

  async create(key: string, expectedBytes?: number): Promise<ObjectWriter> {
    this.bucket.at(key);
    return new S3ObjectWriter(this.bucket, this.memory, key, expectedBytes);
  }

  async read(key: string, offset: number, length: number, options: ReadOptions = {}): Promise<Buffer> {
    try {
      return await this.readWhole(key, offset, length, options);
    } catch (error) {
      // Damaged on its way, or where it stands: a second look tells.
      if (error instanceof CorruptDataError) return this.readWhole(key, offset, length, options);
      throw error;
    }
  }

  readStream(key: string, offset: number, length: number, options: ReadOptions = {}): Readable {
    return Readable.from(readRange(this.bucket, key, offset, length, options), { objectMode: false });
  }

  override readUpTo(key: string, mostBytes: number): Promise<Buffer> {
    return readUpTo(this.bucket, key, mostBytes);
  }

  async head(key: string): Promise<ObjectInfo | null> {
    const found = await lookAt(this.bucket, key);
    return found && { key, sizeBytes: found.sizeBytes };
  }

  /** Servers list in ascending order of bytes; what else stands in the bucket is passed over. */
  async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    const { client, calls, name } = this.bucket;
    for (let token: string | undefined, more = true; more; ) {
      const input = { Bucket: name, Prefix: `${this.bucket.prefix}${prefix}`, ContinuationToken: token, ...(after !== undefined && { StartAfter: `${this.bucket.prefix}${after}` }) };
      const page = await calls.run('ListObjectsV2', (abortSignal) => client.send(new ListObjectsV2Command(input), { abortSignal }));
      for (const { Key, Size } of page.Contents ?? []) {
        const key = this.bucket.keyOf(Key);
        if (key !== undefined) yield { key, sizeBytes: Size ?? 0 };
      }
      token = page.NextContinuationToken;
      more = page.IsTruncated === true && token !== undefined;
    }
  }

  /** On a bucket with versions the version itself goes, not only its name. @throws ConflictError when the object is locked */
  delete(key: string): Promise<void> {
    return removeObject(this.bucket, key);
  }

  /** @throws ConflictError when one of them is locked */
  override deleteAll(keys: readonly string[]): Promise<void> {
    return removeObjects(this.bucket, keys);
  }

  async capacity(): Promise<null> {
    return null;
  }

  /** Gives up uploads in parts that began at least so long ago and were never finished; a day is a good age. */
  override abortStaleUploads(olderThanMs: number): Promise<StaleUpload[]> {
    return abortStaleUploads(this.bucket, olderThanMs);
  }

  close(): void {
    this.bucket.client.destroy();
  }

  private async readWhole(key: string, offset: number, length: number, options: ReadOptions): Promise<Buffer> {
    let bytes: Buffer | undefined;
    let filled = 0;
    for await (const chunk of readRange(this.bucket, key, offset, length, options)) {
      // Not before the store has said that it has so many.
      bytes ??= options.into && options.into.length >= length ? options.into.subarray(0, length) : Buffer.allocUnsafe(length);
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
    return bytes ?? Buffer.alloc(0);
  }
}
