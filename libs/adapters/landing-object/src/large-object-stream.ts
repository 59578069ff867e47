// One large object on its way into the area, and then into the log.
import { IllegalStateError } from '@perennia/errors';
import type { LandedRecord, LandingStream, ObjectWriter } from '@perennia/storage';
import { encodeTrailer } from './large-object.js';

/** Up to here the bytes of a chunk are taken before `write` returns. */
const TAKEN_BYTES = 256 * 1024;

export interface LargeObjectEnd {
  /** Puts the object into the log; what fails is taken back. */
  refer(objectBytes: number, storedBytes: number, receipt: Buffer): Promise<LandedRecord>;
  ended(stream: LargeObjectStream): void;
}

export class LargeObjectStream implements LandingStream {
  private objectBytes = 0;
  private isOpen = true;

  constructor(private readonly writer: ObjectWriter, private readonly end: LargeObjectEnd) {}

  async write(chunk: Uint8Array): Promise<void> {
    this.assertOpen();
    this.objectBytes += chunk.length;
    await this.writer.write(chunk.length <= TAKEN_BYTES ? Buffer.from(chunk) : chunk);
  }

  async commit(receipt: string): Promise<LandedRecord> {
    this.assertOpen();
    this.isOpen = false;
    try {
      const text = Buffer.from(receipt);
      await this.writer.write(text);
      await this.writer.write(encodeTrailer(this.objectBytes, text));
      const { sizeBytes } = await this.writer.commit();
      return await this.end.refer(this.objectBytes, sizeBytes, text);
    } catch (error) {
      await this.writer.abort();
      throw error;
    } finally {
      this.end.ended(this);
    }
  }

  async abort(): Promise<void> {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.end.ended(this);
    await this.writer.abort();
  }

  private assertOpen(): void {
    if (!this.isOpen) throw new IllegalStateError('The large object is already finished.');
  }
}
