// Inflates a deflated dataset (PS3.5 §A.5) chunk by chunk for a listener, with caps on size and ratio: a small object must
// not cost more than a large one.
import { createInflateRaw, type InflateRaw } from 'node:zlib';
import { DicomParseError } from '@perennia/dicom-data';
import { type ReaderLimits } from './reader-limits.js';

/** Below this much output the ratio is not looked at: headers full of zeros are legitimate. */
const RATIO_FREE_BYTES = 16 * 1024 * 1024;

export class Inflater {
  private readonly stream: InflateRaw;
  private failure: Error | undefined;
  private deflatedBytes = 0;
  private inflatedBytes = 0;
  private readonly closed: Promise<void>;

  constructor(private readonly listener: (bytes: Buffer) => void, private readonly limits: Pick<ReaderLimits, 'maxInflatedBytes' | 'maxInflateRatio'>) {
    this.stream = createInflateRaw();
    this.closed = new Promise((resolve) => this.stream.once('close', resolve));
    this.stream.on('data', (bytes: Buffer) => this.receive(bytes));
    this.stream.on('error', (error) => {
      this.failure ??= error instanceof DicomParseError ? error : new DicomParseError('BAD_DEFLATE', 'The deflated dataset cannot be inflated.');
    });
  }

  /** Copies the chunk; resolves when it is inflated and told; rejects as soon as anything is wrong. */
  async push(chunk: Uint8Array): Promise<void> {
    this.throwFailure();
    this.deflatedBytes += chunk.length;
    await Promise.race([new Promise<void>((resolve) => this.stream.write(Buffer.from(chunk), () => resolve())), this.closed]);
    this.throwFailure();
  }

  async end(): Promise<void> {
    this.throwFailure();
    this.stream.end();
    await this.closed;
    this.throwFailure();
  }

  private receive(bytes: Buffer): void {
    if (this.failure !== undefined) return;
    this.inflatedBytes += bytes.length;
    try {
      if (this.inflatedBytes > this.limits.maxInflatedBytes || (this.inflatedBytes > RATIO_FREE_BYTES && this.inflatedBytes > this.limits.maxInflateRatio * this.deflatedBytes)) {
        throw new DicomParseError('LIMIT_EXCEEDED', 'The deflated dataset inflates to more than is allowed.');
      }
      this.listener(bytes);
    } catch (error) {
      this.failure = error as Error;
      this.stream.destroy();
    }
  }

  private throwFailure(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}
