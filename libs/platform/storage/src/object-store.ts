// Port: immutable objects under keys. Nothing is ever overwritten.
import type { Readable } from 'node:stream';
import { NotFoundError } from '@perennia/errors';

export interface ObjectInfo {
  key: string;
  sizeBytes: number;
}

/** An upload that nobody finishes: its bytes take room and are seen by no listing. */
export interface StaleUpload {
  key: string;
  startedAt: Date;
}

/** Streams one new object. Nothing is visible under the key before `commit` resolved. */
export interface ObjectWriter {
  /** Resolves when the chunk is taken; the chunk may be reused then. */
  write(chunk: Uint8Array): Promise<void>;
  /** Makes the object durable and visible. @throws AlreadyExistsError when the key is taken */
  commit(): Promise<ObjectInfo>;
  abort(): Promise<void>;
}

export interface ReadOptions {
  /** Read from the device rather than from a cache where the adapter can (used to verify what was just written). */
  uncached?: boolean;
  /** Memory that an adapter may read into (at its start) instead of into new one; of use to who reads much and gives it back. */
  into?: Buffer;
  signal?: AbortSignal;
}

export abstract class ObjectStore {
  /** Whether each call is a request over a network: few large reads are better than many small ones. */
  readonly isRemote: boolean = false;

  abstract create(key: string, expectedBytes?: number): Promise<ObjectWriter>;
  /** @throws NotFoundError; InvalidInputError when the range does not lie inside the object */
  abstract read(key: string, offset: number, length: number, options?: ReadOptions): Promise<Buffer>;
  /** The same as a stream with back-pressure, for ranges of any size. */
  abstract readStream(key: string, offset: number, length: number, options?: ReadOptions): Readable;
  /** For who is done with a chunk before asking for the next: its memory may be used again then. @throws as `read` */
  chunks(key: string, offset: number, length: number, options?: ReadOptions): AsyncIterable<Buffer> {
    return this.readStream(key, offset, length, options);
  }
  /** The whole object when it is no larger than that, else so many bytes of it: for who does not know its size. @throws as `read` */
  async readUpTo(key: string, mostBytes: number): Promise<Buffer> {
    const info = await this.head(key);
    if (!info) throw new NotFoundError('There is no object of that name.', { details: { key } });
    return this.read(key, 0, Math.min(info.sizeBytes, mostBytes));
  }
  abstract head(key: string): Promise<ObjectInfo | null>;
  /** Keys below a prefix in ascending order (bytewise), from the first one behind `after` on. */
  abstract list(prefix: string, after?: string): AsyncIterable<ObjectInfo>;
  /** Removing what is not there is no error. */
  abstract delete(key: string): Promise<void>;
  /** Many at once, in few requests where the store can; some may be gone when it fails. */
  async deleteAll(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.delete(key);
  }
  /** Gives up uploads that began at least so long ago and were never finished, where a store has such. Tells which. */
  async abortStaleUploads(_olderThanMs: number): Promise<StaleUpload[]> {
    return [];
  }
  /** Free and total bytes where the store has a limit, else null. */
  abstract capacity(): Promise<{ freeBytes: number; totalBytes: number } | null>;
}
