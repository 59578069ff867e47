// Streams one object: a single PUT up to the size of a part, above that an upload in parts. Both are made visible by one conditional request,
// whose outcome is never guessed: an answer without the right digest, a lost answer and a key that is taken are settled by looking, and the
// object is ours only if it says that this very writer wrote it.
import { randomUUID } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { AlreadyExistsError, ConflictError, CorruptDataError, IllegalStateError, NotFoundError, UnavailableError } from '@perennia/errors';
import type { ObjectInfo, ObjectWriter } from '@perennia/storage';
import { GrowingPart } from './growing-part.js';
import { MultipartUpload } from './multipart-upload.js';
import type { PartMemory } from './part-memory.js';
import type { S3Bucket } from './s3-bucket.js';
import type { StoreWait } from './store-wait.js';
import { lookAt, removeObject, WRITER } from './stored-object.js';

/** At 30 % failures four attempts fail once in 123; a commit costs too much to give up for that. */
const ROUNDS = 2;

export class S3ObjectWriter implements ObjectWriter {
  private readonly id = randomUUID();
  private readonly wait: StoreWait;
  private part: GrowingPart;
  private upload: MultipartUpload | undefined;
  private sizeBytes = 0;
  private state: 'open' | 'finishing' | 'done' = 'open';
  private failure: unknown;

  constructor(private readonly bucket: S3Bucket, private readonly memory: PartMemory, private readonly key: string, expectedBytes?: number) {
    this.wait = bucket.calls.newWait();
    this.part = new GrowingPart(memory, this.wait, expectedBytes);
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.assertOpen();
    try {
      for (let at = 0; at < chunk.length; ) {
        if (this.part.isFull) await this.sendPart();
        at += await this.part.add(chunk.subarray(at));
      }
      this.sizeBytes += chunk.length;
    } catch (error) {
      this.failure = error;
      await this.abort();
      throw error;
    }
  }

  async commit(): Promise<ObjectInfo> {
    this.assertOpen();
    this.state = 'finishing';
    try {
      await (this.upload ? this.commitParts(this.upload) : this.memory.whileSending(this.part, () => this.commitWhole()));
      return { key: this.key, sizeBytes: this.sizeBytes };
    } catch (error) {
      await this.leaveNothing();
      throw error;
    } finally {
      this.state = 'done';
      this.part.free();
    }
  }

  async abort(): Promise<void> {
    if (this.state !== 'open') return;
    this.state = 'done';
    this.part.free();
    await this.leaveNothing();
  }

  private async sendPart(): Promise<void> {
    this.upload ??= await this.startUpload();
    const { part } = this;
    this.part = new GrowingPart(this.memory, this.wait, this.memory.partBytes);
    await this.upload.add(part);
  }

  private async startUpload(): Promise<MultipartUpload> {
    // Much would be sent in vain; the commit finds out all the same.
    if (await lookAt(this.bucket, this.key)) throw taken(this.key);
    return MultipartUpload.start(this.bucket, this.memory, this.wait, this.key, this.id);
  }

  private commitWhole(): Promise<void> {
    const digest = this.part.digest.toString('base64');
    const input = { ...this.bucket.at(this.key), Body: this.part.bytes, ContentLength: this.sizeBytes, ChecksumSHA256: digest, IfNoneMatch: '*', Metadata: { [WRITER]: this.id } };
    return this.publish(digest, async (deadlineMs) => {
      const answer = await this.bucket.calls.run('PutObject', (abortSignal) => this.bucket.client.send(new PutObjectCommand(input), { abortSignal }), { deadlineMs });
      return answer.ChecksumSHA256;
    });
  }

  private async commitParts(upload: MultipartUpload): Promise<void> {
    await upload.add(this.part);
    await upload.allSent();
    await this.publish(upload.sha256, (deadlineMs) => upload.complete(this.sizeBytes, deadlineMs));
  }

  /** Until the server has shown that it has what was sent, all before one deadline. `request` gives the digest of its answer. */
  private async publish(sha256: string, request: (deadlineMs: number) => Promise<string | undefined>): Promise<void> {
    const deadlineMs = this.bucket.calls.deadline();
    for (let round = 1; ; round++) {
      try {
        if ((await request(deadlineMs)) !== sha256) await this.assertStored(sha256, deadlineMs);
        return;
      } catch (error) {
        if (error instanceof AlreadyExistsError || error instanceof CorruptDataError || !this.mayBeStored(error)) throw error;
        const stored = await this.isStored(sha256, deadlineMs);
        if (stored) return;
        if (round === ROUNDS || error instanceof NotFoundError) throw stored === undefined ? unknown(error) : notStored(error, this.key);
      }
    }
  }

  /** Also after 412 and "no such upload": both may be the answer to an attempt that came after our own success. */
  private mayBeStored(error: unknown): boolean {
    return error instanceof UnavailableError || error instanceof NotFoundError || (error instanceof ConflictError && error.details['status'] === 412);
  }

  /** Undefined where it cannot be told at the moment. @throws AlreadyExistsError, CorruptDataError */
  private async isStored(sha256: string, deadlineMs: number): Promise<boolean | undefined> {
    try {
      await this.assertStored(sha256, deadlineMs);
      return true;
    } catch (error) {
      if (error instanceof UnavailableError) return error.details['missing'] === true ? false : undefined;
      throw error;
    }
  }

  private async assertStored(sha256: string, deadlineMs: number): Promise<void> {
    const found = await lookAt(this.bucket, this.key, { deadlineMs });
    if (!found) throw missing(this.key);
    if (found.writer !== this.id) throw taken(this.key);
    if (found.sizeBytes === this.sizeBytes && found.sha256 === sha256) return;
    // Ours and wrong: nobody must find it.
    await removeObject(this.bucket, this.key).catch(() => undefined);
    throw new CorruptDataError('The object store has stored something else than what was sent to it.', {
      details: { key: this.key, sentBytes: this.sizeBytes, storedBytes: found.sizeBytes }, remedy: 'Check the object store and the network before it.',
    });
  }

  /** Parts that cannot be removed now are found by abortStaleUploads. */
  private async leaveNothing(): Promise<void> {
    await this.upload?.abort().catch(() => undefined);
  }

  private assertOpen(): void {
    if (this.failure) throw this.failure;
    if (this.state !== 'open') throw new IllegalStateError('The object is already finished.');
  }
}

function taken(key: string): AlreadyExistsError {
  return new AlreadyExistsError('An object of that name exists and is never overwritten.', { details: { key } });
}

function missing(key: string, cause?: unknown): UnavailableError {
  return new UnavailableError('The object store has no trace of an object that was sent to it.', { cause, details: { key, missing: true }, remedy: 'Look into its log.' });
}

function unknown(cause: unknown): UnavailableError {
  if (cause instanceof UnavailableError) return cause;
  return new UnavailableError('It cannot be told at the moment whether the object store has the object.', { cause, remedy: 'It is tried again.' });
}

/** After looking: an upload that is gone is no missing object, and a name that is taken by nothing one can see will stay so. */
function notStored(cause: unknown, key: string): unknown {
  if (cause instanceof NotFoundError) return missing(key, cause);
  if (!(cause instanceof ConflictError)) return cause;
  return new ConflictError('The object store says that the name is taken, and shows nothing under it.', { cause, details: { key }, remedy: 'Remove the delete marker that somebody else has set.' });
}
