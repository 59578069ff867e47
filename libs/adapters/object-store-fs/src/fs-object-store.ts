// Objects as files of one file system. Nothing is visible under a key before it is durable; nothing is ever overwritten.
import { randomUUID } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { lstat, readdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { AlreadyExistsError } from '@perennia/errors';
import {
  FolderSync, ObjectStore, type ObjectInfo, type ObjectWriter, type ReadOptions, asDiskError, isProcessAlive, AlignedBuffers, processIdentity } from '@perennia/storage';
import { FsObjectWriter } from './fs-object-writer.js';
import { AREAS, type Area, bucketNames, keyOfFile, objectPath, temporaryName, writerOfTemporary } from './object-path.js';
import { OpenObjects } from './open-objects.js';
import { readChunks, readOnce } from './read-object.js';

export interface FsObjectStoreOptions {
  /** Root folder; created where it is missing. */
  directory: string;
  /** Staging buffers of 1 MiB that exist at most. @default 12 */
  stagingBuffers?: number;
}

const READY = '.fan-out-ready';
/** Up to here a range is read with one call. */
const MAX_SINGLE_READ_BYTES = 4 * 1024 * 1024;

export class FsObjectStore extends ObjectStore {
  private readonly folders = new FolderSync();
  private readonly opened = new OpenObjects();
  private readonly closing = new AbortController();
  private cleaning: Promise<void> = Promise.resolve();

  private constructor(
    private readonly root: string,
    private readonly buffers: AlignedBuffers,
  ) {
    super();
  }

  /** Makes the folders ready; what killed writers left is removed in the background. */
  static async open(options: FsObjectStoreOptions): Promise<FsObjectStore> {
    try {
      mkdirSync(options.directory, { recursive: true, mode: 0o700 });
      const root = realpathSync(options.directory);
      const store = new FsObjectStore(root, AlignedBuffers.forFolder(root, options.stagingBuffers ?? 12));
      await store.makeReady();
      store.cleaning = store.removeLeftovers();
      // Reported by whenClean and close; the store works with leftovers.
      store.cleaning.catch(() => undefined);
      return store;
    } catch (error) {
      throw asDiskError(error, 'open the object store');
    }
  }

  async create(key: string): Promise<ObjectWriter> {
    const path = objectPath(this.root, key);
    if (await this.head(key)) throw new AlreadyExistsError('An object of that name exists and is never overwritten.', { details: { key } });
    const temporary = join(path.folder, temporaryName(processIdentity(), randomUUID()));
    return FsObjectWriter.create(key, path, temporary, this.buffers, this.folders);
  }

  async read(key: string, offset: number, length: number, options: ReadOptions = {}): Promise<Buffer> {
    const { file } = objectPath(this.root, key);
    if (!options.uncached && length <= MAX_SINGLE_READ_BYTES) return this.opened.use(file, key, (object) => readOnce(object, key, offset, length, options));
    const chunks: Buffer[] = [];
    for await (const chunk of this.ownChunks(key, offset, length, options)) chunks.push(chunk);
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  }

  readStream(key: string, offset: number, length: number, options: ReadOptions = {}): Readable {
    return Readable.from(this.ownChunks(key, offset, length, options), { objectMode: false });
  }

  async head(key: string): Promise<ObjectInfo | null> {
    const { file } = objectPath(this.root, key);
    try {
      const found = await lstat(file);
      return found.isFile() ? { key, sizeBytes: found.size } : null;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw asDiskError(error, 'look at an object');
    }
  }

  /** `data/` is listed bucket by bucket; the keys of `work/` are gathered first, as their folders do not follow their order. */
  async *list(prefix: string, after = ''): AsyncIterable<ObjectInfo> {
    for await (const found of this.listAll(prefix)) if (found.key > after) yield found;
  }

  private async *listAll(prefix: string): AsyncIterable<ObjectInfo> {
    for (const area of AREAS) {
      if (!`${area}/`.startsWith(prefix) && !prefix.startsWith(`${area}/`)) continue;
      if (area === 'data') for (const bucket of bucketNames) yield* this.listFolders(area, [bucket], prefix);
      else yield* this.listFolders(area, bucketNames, prefix);
    }
  }

  async delete(key: string): Promise<void> {
    const { file, folder } = objectPath(this.root, key);
    this.opened.forget(file);
    try {
      await rm(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw asDiskError(error, 'remove an object');
    }
    await this.folders.sync(folder);
  }

  async capacity(): Promise<{ freeBytes: number; totalBytes: number }> {
    const found = await statfs(this.root);
    return { freeBytes: found.bavail * found.bsize, totalBytes: found.blocks * found.bsize };
  }

  /** Waits for the removal of leftovers. */
  async close(): Promise<void> {
    this.closing.abort();
    this.opened.close();
    await this.cleaning;
  }

  /** Resolves when what killed writers left has been removed. */
  whenClean(): Promise<void> {
    return this.cleaning;
  }

  override chunks(key: string, offset: number, length: number, options: ReadOptions = {}): AsyncIterable<Buffer> {
    return readChunks(objectPath(this.root, key).file, key, { offset, length, reuse: true }, options, this.buffers);
  }

  private ownChunks(key: string, offset: number, length: number, options: ReadOptions): AsyncGenerator<Buffer> {
    return readChunks(objectPath(this.root, key).file, key, { offset, length, reuse: false }, options, this.buffers);
  }

  private async *listFolders(area: Area, buckets: readonly string[], prefix: string): AsyncGenerator<ObjectInfo> {
    const keys: string[] = [];
    for (const bucket of buckets) {
      const start = `${area}/${bucket}/`;
      if (area === 'data' && !start.startsWith(prefix) && !prefix.startsWith(start)) continue;
      for (const name of await readdir(join(this.root, area, bucket))) {
        const key = keyOfFile(area, bucket, name);
        if (key?.startsWith(prefix)) keys.push(key);
      }
    }
    // The alphabet is ASCII: the order of code units is the order of bytes.
    for (const key of keys.toSorted()) {
      const info = await this.head(key);
      if (info) yield info;
    }
  }

  private async makeReady(): Promise<void> {
    const ready = join(this.root, READY);
    if (await stat(ready).catch(() => undefined)) return;
    for (const area of AREAS) {
      for (const bucket of bucketNames) mkdirSync(join(this.root, area, bucket), { recursive: true, mode: 0o700 });
      await this.folders.sync(join(this.root, area));
    }
    await this.folders.sync(this.root);
    await writeFile(ready, '');
    await this.folders.sync(this.root);
  }

  private async removeLeftovers(): Promise<void> {
    const alive = new Map<string, boolean>();
    for (const area of AREAS) {
      for (const bucket of bucketNames) {
        if (this.closing.signal.aborted) return;
        const folder = join(this.root, area, bucket);
        for (const name of await readdir(folder)) {
          const writer = writerOfTemporary(name);
          if (writer === undefined) continue;
          if (!alive.has(writer)) alive.set(writer, isProcessAlive(writer));
          if (!alive.get(writer)) await rm(join(folder, name), { force: true });
        }
      }
    }
  }
}
