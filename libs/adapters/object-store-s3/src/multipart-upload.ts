// A large object on its way, part by part: two parts at most are sent at once, each with its digest. Nothing is visible before `complete`;
// `abort` leaves no parts behind.
import { CompleteMultipartUploadCommand, type CompleteMultipartUploadCommandOutput, CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { CancelledError, LimitExceededError } from '@perennia/errors';
import type { GrowingPart } from './growing-part.js';
import type { PartMemory } from './part-memory.js';
import type { S3Bucket } from './s3-bucket.js';
import { WrongAnswer } from './s3-errors.js';
import { abortUpload } from './stale-uploads.js';
import type { StoreWait } from './store-wait.js';
import { WRITER } from './stored-object.js';

const PARTS_AT_ONCE = 2;
const MAX_PARTS = 10_000;
const ROUNDS = 2;

export class MultipartUpload {
  private readonly parts: { PartNumber: number; ETag: string | undefined; ChecksumSHA256: string }[] = [];
  private readonly digests: Buffer[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private readonly aborter = new AbortController();
  private failure: unknown;

  private constructor(
    private readonly bucket: S3Bucket,
    private readonly memory: PartMemory,
    private readonly wait: StoreWait,
    private readonly target: { Bucket: string; Key: string; UploadId: string },
  ) {}

  static async start(bucket: S3Bucket, memory: PartMemory, wait: StoreWait, key: string, writer: string): Promise<MultipartUpload> {
    const target = bucket.at(key);
    const input = { ...target, ChecksumAlgorithm: 'SHA256', ChecksumType: 'COMPOSITE', Metadata: { [WRITER]: writer } } as const;
    // An attempt whose answer is lost leaves an upload without parts; abortStaleUploads finds it.
    const { UploadId } = await bucket.calls.run('CreateMultipartUpload', (abortSignal) => bucket.client.send(new CreateMultipartUploadCommand(input), { abortSignal }), { rounds: ROUNDS });
    return new MultipartUpload(bucket, memory, wait, { ...target, UploadId: UploadId! });
  }

  /** Digest of the digests of all parts, as the server gives it for the whole object. */
  get sha256(): string {
    return `${createHash('sha256').update(Buffer.concat(this.digests)).digest('base64')}-${this.digests.length}`;
  }

  /** Resolves when the part is on its way and may be followed by the next. @throws what an earlier part met */
  async add(part: GrowingPart): Promise<void> {
    while (this.underWay.size >= PARTS_AT_ONCE) await this.wait.during(() => Promise.race(this.underWay));
    if (this.failure) {
      part.free();
      throw this.failure;
    }
    const number = this.digests.push(part.digest);
    const sent = this.send(part, number).catch((error: unknown) => void (this.failure ??= error)).finally(() => this.underWay.delete(sent));
    this.underWay.add(sent);
  }

  /** @throws what a part met */
  async allSent(): Promise<void> {
    await Promise.all(this.underWay);
    if (this.failure) throw this.failure;
  }

  /** One call that makes the object visible; gives the digest that the server answers. */
  async complete(sizeBytes: number, deadlineMs: number): Promise<string | undefined> {
    const Parts = this.parts.toSorted((a, b) => a.PartNumber - b.PartNumber);
    const input = { ...this.target, MultipartUpload: { Parts }, IfNoneMatch: '*', MpuObjectSize: sizeBytes };
    const send = (abortSignal: AbortSignal): Promise<CompleteMultipartUploadCommandOutput> => this.bucket.client.send(new CompleteMultipartUploadCommand(input), { abortSignal });
    return (await this.bucket.calls.run('CompleteMultipartUpload', send, { deadlineMs })).ChecksumSHA256;
  }

  async abort(): Promise<void> {
    this.aborter.abort();
    await Promise.all(this.underWay);
    await abortUpload(this.bucket, this.target);
  }

  private async send(part: GrowingPart, number: number): Promise<void> {
    try {
      if (number > MAX_PARTS) throw new LimitExceededError('The object has more parts than an object store takes.', { remedy: 'Choose larger parts.' });
      if (this.aborter.signal.aborted) throw new CancelledError('The upload was given up.');
      const ChecksumSHA256 = part.digest.toString('base64');
      const input = { ...this.target, PartNumber: number, Body: part.bytes, ChecksumSHA256 };
      const ETag = await this.memory.whileSending(part, () => this.bucket.calls.run('UploadPart', async (abortSignal) => {
        const answer = await this.bucket.client.send(new UploadPartCommand(input), { abortSignal });
        if ((answer.ChecksumSHA256 ?? ChecksumSHA256) !== ChecksumSHA256) throw new WrongAnswer('The object store answers another digest than that of the part.');
        return answer.ETag;
      }, { signal: this.aborter.signal, rounds: ROUNDS, deadlineMs: this.wait.deadline() }));
      this.wait.stored();
      this.parts.push({ PartNumber: number, ETag, ChecksumSHA256 });
    } finally {
      part.free();
    }
  }
}
