// Port: immutable objects under keys. Nothing is ever overwritten.
import type { Readable } from 'node:stream';

export interface ObjectInfo {
  key: string;
  sizeBytes: number;
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
  abstract create(key: string, expectedBytes?: number): Promise<ObjectWriter>;
  /** @throws NotFoundError; InvalidInputError when the range does not lie inside the object */
  abstract read(key: string, offset: number, length: number, options?: ReadOptions): Promise<Buffer>;
  /** The same as a stream with back-pressure, for ranges of any size. */
  abstract readStream(key: string, offset: number, length: number, options?: ReadOptions): Readable;
  /** For who is done with a chunk before asking for the next: its memory may be used again then. @throws as `read` */
  chunks(key: string, offset: number, length: number, options?: ReadOptions): AsyncIterable<Buffer> {
    return this.readStream(key, offset, length, options);
  }
  abstract head(key: string): Promise<ObjectInfo | null>;
  /** Keys below a prefix in ascending order (bytewise). */
  abstract list(prefix: string): AsyncIterable<ObjectInfo>;
  /** Removing what is not there is no error. */
  abstract delete(key: string): Promise<void>;
  /** Free and total bytes where the store has a limit, else null. */
  abstract capacity(): Promise<{ freeBytes: number; totalBytes: number } | null>;
}
