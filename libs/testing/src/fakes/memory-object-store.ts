// An object store in memory, for tests that need no disk. Keeps the same contract as the adapters.
import { Readable } from 'node:stream';
import { AlreadyExistsError, CancelledError, IllegalStateError, InvalidInputError, NotFoundError } from '@perennia/errors';
import { ObjectStore, assertObjectKey, type ObjectInfo, type ObjectWriter, type ReadOptions } from '@perennia/storage';

const CHUNK_BYTES = 64 * 1024;

export class MemoryObjectStore extends ObjectStore {
  private readonly objects = new Map<string, Buffer>();

  async create(key: string): Promise<ObjectWriter> {
    assertObjectKey(key);
    this.assertFree(key);
    const chunks: Buffer[] = [];
    let open = true;
    const assertOpen = (): void => {
      if (!open) throw new IllegalStateError('The object is already finished.');
    };
    return {
      write: async (chunk) => {
        assertOpen();
        chunks.push(Buffer.from(chunk));
      },
      commit: async () => {
        assertOpen();
        open = false;
        this.assertFree(key);
        const bytes = Buffer.concat(chunks);
        this.objects.set(key, bytes);
        return { key, sizeBytes: bytes.length };
      },
      abort: async () => {
        open = false;
      },
    };
  }

  async read(key: string, offset: number, length: number, options: ReadOptions = {}): Promise<Buffer> {
    assertObjectKey(key);
    if (options.signal?.aborted) throw new CancelledError('Reading was given up.');
    const bytes = this.objects.get(key);
    if (!bytes) throw new NotFoundError('There is no object of that name.', { details: { key } });
    if (offset < 0 || length < 0 || offset + length > bytes.length) throw new InvalidInputError('The range does not lie inside the object.');
    return Buffer.from(bytes.subarray(offset, offset + length));
  }

  readStream(key: string, offset: number, length: number, options: ReadOptions = {}): Readable {
    return Readable.from(this.pieces(key, offset, length, options), { objectMode: false });
  }

  async head(key: string): Promise<ObjectInfo | null> {
    assertObjectKey(key);
    const bytes = this.objects.get(key);
    return bytes ? { key, sizeBytes: bytes.length } : null;
  }

  async *list(prefix: string, after = ''): AsyncIterable<ObjectInfo> {
    for (const key of [...this.objects.keys()].filter((each) => each.startsWith(prefix) && each > after).toSorted()) {
      const bytes = this.objects.get(key);
      if (bytes) yield { key, sizeBytes: bytes.length };
    }
  }

  async delete(key: string): Promise<void> {
    assertObjectKey(key);
    this.objects.delete(key);
  }

  async capacity(): Promise<null> {
    return null;
  }

  private assertFree(key: string): void {
    if (this.objects.has(key)) throw new AlreadyExistsError('An object of that name exists and is never overwritten.', { details: { key } });
  }

  private async *pieces(key: string, offset: number, length: number, options: ReadOptions): AsyncGenerator<Buffer> {
    const bytes = await this.read(key, offset, length, options);
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      if (options.signal?.aborted) throw new CancelledError('Reading was given up.');
      yield bytes.subarray(at, at + CHUNK_BYTES);
    }
  }
}
