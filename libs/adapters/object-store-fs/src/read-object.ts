// Ranged reads of one file, through the page cache or past it.
import { close, constants, fstat, open, read } from 'node:fs';
import { promisify } from 'node:util';
import { CancelledError, CorruptDataError, InvalidInputError, NotFoundError } from '@perennia/errors';
import { type ReadOptions, asDiskError, type AlignedBuffers, BLOCK_BYTES } from '@perennia/storage';
import type { OpenObject } from './open-objects.js';

const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(fstat);
const readFile = promisify(read);
const CHUNK_BYTES = 1024 * 1024;

/** What is read; with `reuse` the memory of a chunk is used again for the next. */
export interface ChunkedRange {
  offset: number;
  length: number;
  reuse: boolean;
}

/** The range in chunks of at most 1 MiB. @throws as ObjectStore.read */
export async function* readChunks(
  file: string, key: string, { offset, length, reuse }: ChunkedRange, options: ReadOptions, buffers: AlignedBuffers,
): AsyncGenerator<Buffer> {
  const direct = options.uncached === true && buffers.direct;
  const descriptor = await openObject(file, key, direct);
  const staging = reuse ? [buffers.take(), buffers.take()] : direct ? [buffers.take()] : [];
  let ahead: Promise<Buffer> | undefined;
  try {
    const { size } = await statFile(descriptor);
    assertInside(key, offset, length, size);
    const end = offset + length;
    const readAt = (at: number, into: Buffer | undefined): Promise<Buffer> => (direct ? readDirect(descriptor, at, end, into!) : readCached(descriptor, at, end, into));
    for (let at = offset; at < end; ) {
      if (options.signal?.aborted) throw new CancelledError('Reading was given up.');
      const chunk = await (ahead ?? readAt(at, staging[0] ?? (at === offset ? options.into : undefined)));
      if (chunk.length === 0) throw new CorruptDataError('The object is shorter than it was.', { details: { key } });
      at += chunk.length;
      // The device reads the next chunk while the caller has this one.
      staging.reverse();
      ahead = reuse && at < end ? readAt(at, staging[0]) : undefined;
      yield reuse || !direct ? chunk : Buffer.from(chunk);
    }
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).syscall === 'string') throw asDiskError(error, 'read an object');
    throw error;
  } finally {
    await ahead?.catch(() => undefined);
    for (const buffer of staging) buffers.give(buffer);
    await closeFile(descriptor);
  }
}

/** A range of an open object with one call. @throws as ObjectStore.read */
export async function readOnce({ descriptor, sizeBytes }: OpenObject, key: string, offset: number, length: number, options: ReadOptions): Promise<Buffer> {
  assertInside(key, offset, length, sizeBytes);
  if (options.signal?.aborted) throw new CancelledError('Reading was given up.');
  const bytes = options.into && options.into.length >= length ? options.into.subarray(0, length) : Buffer.allocUnsafe(length);
  const { bytesRead } = await readFile(descriptor, bytes, 0, length, offset).catch((error: unknown) => {
    throw asDiskError(error, 'read an object');
  });
  if (bytesRead !== length) throw new CorruptDataError('The object is shorter than it was.', { details: { key } });
  return bytes;
}

function assertInside(key: string, offset: number, length: number, sizeBytes: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= sizeBytes) return;
  throw new InvalidInputError('The range does not lie inside the object.', { details: { key, offset, length, sizeBytes } });
}

async function openObject(file: string, key: string, direct: boolean): Promise<number> {
  try {
    return await openFile(file, constants.O_RDONLY | constants.O_NOFOLLOW | (direct ? constants.O_DIRECT : 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new NotFoundError('There is no object of that name.', { details: { key } });
    throw asDiskError(error, 'open an object');
  }
}

async function readCached(descriptor: number, at: number, end: number, into?: Buffer): Promise<Buffer> {
  const wanted = Math.min(CHUNK_BYTES, end - at);
  const bytes = into && into.length >= wanted ? into.subarray(0, wanted) : Buffer.allocUnsafe(wanted);
  const { bytesRead } = await readFile(descriptor, bytes, 0, bytes.length, at);
  return bytes.subarray(0, bytesRead);
}

/** Position and length are widened to whole blocks; the wanted part is a view. */
async function readDirect(descriptor: number, at: number, end: number, staging: Buffer): Promise<Buffer> {
  const from = Math.floor(at / BLOCK_BYTES) * BLOCK_BYTES;
  const wanted = Math.min(staging.length, Math.ceil((end - from) / BLOCK_BYTES) * BLOCK_BYTES);
  const { bytesRead } = await readFile(descriptor, staging, 0, wanted, from);
  return staging.subarray(at - from, Math.min(bytesRead, end - from));
}
