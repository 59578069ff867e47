// The tiers that a configuration names, opened; and the reader of places over them and the landing area.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { EffectiveConfig } from '@perennia/config';
import { ConfigurationError } from '@perennia/errors';
import { FsObjectStore } from '@perennia/object-store-fs';
import type { S3ObjectStore } from '@perennia/object-store-s3';
import { StorageTiers, type ObjectStore } from '@perennia/storage';
import { StorageConfig, type S3TierProfile } from '@perennia/storage/storage.config';
import type { Metrics } from '@perennia/telemetry';
import { ArchiveConfig } from './archive.config.js';

const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];

export class StorageAreas {
  private constructor(
    readonly tiers: StorageTiers,
    /** By name of tier. */
    readonly s3: ReadonlyMap<string, S3ObjectStore>,
  ) {}

  /** @throws ConfigurationError, UnavailableError with one sentence for the first tier that cannot be used */
  static async open(config: EffectiveConfig, metrics?: Metrics): Promise<StorageAreas> {
    const settings = config.get(StorageConfig);
    const stores = new Map<string, ObjectStore>();
    const s3 = new Map<string, S3ObjectStore>();
    const seconds = metrics?.histogram('vna_store_request_seconds', 'Requests to object stores', SECONDS, ['tier', 'operation', 'outcome']);
    try {
      for (const profile of settings.tiers) {
        const store = profile.kind === 's3' ? await openS3(profile, seconds) : await openFiles(config, profile.directory);
        if ('breakerState' in store) s3.set(profile.name, store);
        stores.set(profile.name, store);
      }
      return new StorageAreas(new StorageTiers(stores, settings), s3);
    } catch (error) {
      for (const store of s3.values()) store.close();
      throw error;
    }
  }

  close(): void {
    for (const store of this.s3.values()) store.close();
  }
}

function openFiles(config: EffectiveConfig, directory: string): Promise<FsObjectStore> {
  return FsObjectStore.open({ directory: resolve(config.get(ArchiveConfig).data, directory) });
}

/** Loaded only where it is used: code that is not loaded takes no memory. */
async function openS3(profile: S3TierProfile, seconds: ReturnType<Metrics['histogram']> | undefined): Promise<S3ObjectStore> {
  const { name, endpoint, region, bucket, prefix, accessKeyId, secretAccessKeyFile, caFile, pathStyle, connections } = profile;
  const { S3ObjectStore } = await import('@perennia/object-store-s3');
  return S3ObjectStore.open({
    region,
    bucket,
    ...defined({ endpoint, prefix, accessKeyId, caFile, forcePathStyle: pathStyle, maxConnections: connections }),
    ...(secretAccessKeyFile !== undefined && { secretAccessKey: readSecret(secretAccessKeyFile) }),
    ...(seconds && { onRequest: (operation, outcome, durationMs) => seconds.observe({ tier: name, operation, outcome }, durationMs / 1000) }),
  });
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
const defined = <T extends object>(values: T): Defined<T> => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;

function readSecret(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new ConfigurationError(`The file of the secret key ${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause, remedy: 'Name a readable file with secretAccessKeyFile' });
  }
}
