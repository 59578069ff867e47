// Passes bytes through and fails at the end when they are not what their digest says, so that a reader never ends well on wrong bytes.
import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { CorruptDataError } from '@perennia/errors';

export class ChecksumStream extends Transform {
  private readonly hash = createHash('sha256');
  private seenBytes = 0;

  /** @param expectedSha256 lower-case hex */
  constructor(private readonly expectedSha256: string) {
    super();
  }

  get lengthBytes(): number {
    return this.seenBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.hash.update(chunk);
    this.seenBytes += chunk.length;
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    if (this.hash.digest('hex') === this.expectedSha256) return done();
    done(new CorruptDataError('The bytes do not match their recorded digest.', { details: { lengthBytes: this.seenBytes } }));
  }
}
