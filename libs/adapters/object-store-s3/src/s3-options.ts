// What an S3 object store can be told. Every bound is checked when the store is opened.
import { ConfigurationError } from '@perennia/errors';
import type { Clock } from '@perennia/telemetry';

/** `ok`: done; `refused`: a final answer (not there, taken, not permitted); `failed`: may pass, and is tried again where that makes sense. */
export type RequestOutcome = 'ok' | 'refused' | 'failed';

export interface S3ObjectStoreOptions {
  /** URL of the server, without the bucket. Absent: Amazon's endpoint of the region. */
  endpoint?: string;
  region: string;
  bucket: string;
  /** Stands before every key, with a slash between; several archives can share a bucket. Default none. */
  prefix?: string;
  /** Absent: the default chain of the SDK (environment, shared files, role of the machine). */
  accessKeyId?: string;
  secretAccessKey?: string;
  /** `host/bucket/key` instead of `bucket.host/key`. Default true where `endpoint` is given. */
  forcePathStyle?: boolean;
  /** PEM of the authorities to trust instead of the system's. */
  caFile?: string;
  /** Larger objects go in parts of this size. Default 8 MiB, at least 5 MiB (the protocol's least), at most 64 MiB. */
  partSizeBytes?: number;
  /** Memory of all writers together; who finds none waits. Default 24 MiB, at least two parts. */
  memoryBytes?: number;
  /** Requests under way at once, and connections kept; a body that has begun to come is not counted, its reader may pause. Default 32, at most 1024. */
  maxConnections?: number;
  /** Default 3 s. */
  connectTimeoutMs?: number;
  /** Without a byte in either direction for so long a request has failed. Default 15 s; 10 s to 30 s suit most networks. */
  noProgressMs?: number;
  /** A call with all its attempts and pauses; of a read, until its body begins. Default 60 s. */
  callDeadlineMs?: number;
  /** Before the second attempt at most so long, then twice, four times. Default 50 ms. */
  retryPauseMs?: number;
  /** How long the breaker stays open before it lets a probe through. Default 5 s. */
  breakerOpenMs?: number;
  /** Told of every request, so that they can be counted. */
  onRequest?: (operation: string, outcome: RequestOutcome, durationMs: number) => void;
  clock?: Clock;
  /** From 0 up to 1, for the jitter of pauses. */
  random?: () => number;
}

const MIB = 1024 * 1024;
const DEFAULTS = {
  partSizeBytes: 8 * MIB, memoryBytes: 24 * MIB, maxConnections: 32, connectTimeoutMs: 3000, noProgressMs: 15_000, callDeadlineMs: 60_000, retryPauseMs: 50,
  breakerOpenMs: 5000,
};
const BOUNDS: Record<keyof typeof DEFAULTS, readonly [number, number]> = {
  partSizeBytes: [5 * MIB, 64 * MIB], memoryBytes: [10 * MIB, 64 * 1024 * MIB], maxConnections: [1, 1024], connectTimeoutMs: [100, 60_000],
  noProgressMs: [100, 300_000], callDeadlineMs: [100, 3_600_000], retryPauseMs: [0, 10_000], breakerOpenMs: [10, 600_000],
};

export type ResolvedOptions = S3ObjectStoreOptions & typeof DEFAULTS;

/** @throws ConfigurationError that names the option */
export function resolveOptions(options: S3ObjectStoreOptions): ResolvedOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const resolved = { ...DEFAULTS, ...given } as ResolvedOptions;
  for (const [name, [least, most]] of Object.entries(BOUNDS) as [keyof typeof DEFAULTS, readonly [number, number]][]) {
    const value = resolved[name];
    if (!Number.isInteger(value) || value < least || value > most) refuse(name, `has to be a whole number from ${least} to ${most}`);
  }
  if (resolved.memoryBytes < 2 * resolved.partSizeBytes) refuse('memoryBytes', 'has to hold two parts');
  if (!resolved.bucket) refuse('bucket', 'is missing');
  if (!resolved.region) refuse('region', 'is missing');
  if (resolved.endpoint !== undefined && !/^https?:\/\/[^/]+\/?$/.test(resolved.endpoint)) refuse('endpoint', 'has to be a URL of scheme, host and port, without the bucket');
  if ((resolved.accessKeyId === undefined) !== (resolved.secretAccessKey === undefined)) refuse('secretAccessKey', 'and accessKeyId are given together or not at all');
  if (resolved.prefix !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/.test(resolved.prefix)) refuse('prefix', 'has to be letters, digits, dots, dashes and slashes');
  return resolved;
}

function refuse(name: string, why: string): never {
  throw new ConfigurationError(`The option ${name} of the S3 object store ${why}.`, { details: { option: name } });
}
