// What every operation needs: the client, the bucket, how calls are made, and which key of the bucket a key of ours is.
import type { S3Client } from '@aws-sdk/client-s3';
import { assertObjectKey } from '@perennia/storage';
import type { S3Calls } from './s3-calls.js';
import type { ResolvedOptions } from './s3-options.js';

export class S3Bucket {
  readonly name: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  /** Whether objects have versions: seen when the store is opened, or when a removal leaves a marker. */
  hasVersions = false;

  constructor(readonly client: S3Client, readonly calls: S3Calls, options: ResolvedOptions) {
    this.name = options.bucket;
    this.prefix = options.prefix ? `${options.prefix.replace(/\/+$/, '')}/` : '';
  }

  /** @throws InvalidInputError for a key that is not one of ours */
  at(key: string): { Bucket: string; Key: string } {
    assertObjectKey(key);
    return { Bucket: this.name, Key: `${this.prefix}${key}` };
  }

  /** Our key of a key of the bucket; undefined for what is not ours. */
  keyOf(bucketKey: string | undefined): string | undefined {
    if (!bucketKey?.startsWith(this.prefix)) return undefined;
    const key = bucketKey.slice(this.prefix.length);
    try {
      assertObjectKey(key);
      return key;
    } catch {
      return undefined;
    }
  }
}
