// What an answer or a broken connection means for us: whether trying again may help, and which error of the archive it is.
import { ArchiveError, ConfigurationError, ConflictError, InvalidInputError, LimitExceededError, NotFoundError, StoreFullError, UnavailableError } from '@perennia/errors';

export interface S3Failure {
  /** Code of the protocol, or of the system where there is no answer. */
  code: string;
  status: number | undefined;
  /** Whether the same request may succeed when it is sent again. */
  retry: boolean;
  /** Whether the server asks for fewer requests. */
  throttled: boolean;
}

/** An answer of success that cannot be true; sent again by the caller of the attempt. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}

/** Codes below 500 that pass; BadDigest and its like: bytes were damaged on their way. */
const PASSING: ReadonlySet<string> = new Set([
  'RequestTimeout', 'BadDigest', 'IncompleteBody', 'XAmzContentSHA256Mismatch', 'ConditionalRequestConflict', 'OperationAborted', 'TooManyRequests', 'SlowDown', 'RequestTimeTooSkewed',
]);
const THROTTLED: ReadonlySet<string> = new Set(['SlowDown', 'ServiceUnavailable', 'TooManyRequests', 'ThrottlingException', 'RequestLimitExceeded']);
const TLS = /^(?:CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY|GET)|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA)/;

interface ForeignError {
  name?: string;
  Code?: string;
  code?: string;
  $metadata?: { httpStatusCode?: number; clockSkewCorrected?: boolean };
}

export function failureOf(error: unknown): S3Failure {
  const { name, Code, code: systemCode, $metadata } = error as ForeignError;
  const status = $metadata?.httpStatusCode;
  const code = status === undefined ? (systemCode ?? name ?? 'unknown') : (Code ?? name ?? String(status));
  if (error instanceof ArchiveError) return { code, status, retry: false, throttled: false };
  if (TLS.test(code) || name === 'CredentialsProviderError') return { code: TLS.test(code) ? code : name!, status, retry: false, throttled: false };
  // Without a status the connection broke; with success the answer could not be read.
  const retry = status === undefined || status < 300 || (status >= 500 && status !== 501 && status !== 507) || status === 429 || PASSING.has(code) || $metadata?.clockSkewCorrected === true;
  return { code, status, retry, throttled: status === 503 || status === 429 || THROTTLED.has(code) };
}

/** @param doing what was tried, as in "store an object" */
export function s3Error(cause: unknown, doing: string): ArchiveError {
  if (cause instanceof ArchiveError) return cause;
  const { code, status, retry } = failureOf(cause);
  const options = { cause, details: { code, status: status ?? null } };
  const remedy = remedyOf(code, status);
  if (remedy !== undefined) return new ConfigurationError(`The object store refuses to ${doing} (${code}).`, { ...options, remedy });
  if (status === 507 || FULL.has(code)) return new StoreFullError(`No room to ${doing} (${code}).`, { ...options, remedy: 'Give the bucket more room; it goes on by itself.' });
  if (code === 'NoSuchKey' || code === 'NoSuchVersion' || status === 404) return new NotFoundError('There is no object of that name.', options);
  if (status === 412) return new ConflictError('What stands under the name is not what was expected.', options);
  if (status === 416) return new InvalidInputError('The range does not lie inside the object.', options);
  if (code === 'EntityTooLarge') return new LimitExceededError(`The object store refuses to ${doing}: it is larger than it takes.`, options);
  const isFinal = !retry && status !== undefined && status < 500;
  if (isFinal) return new ConflictError(`The object store refuses to ${doing} (${code}).`, { ...options, remedy: 'Look into the log of the object store.' });
  return new UnavailableError(`The object store could not ${doing} (${code}).`, { ...options, remedy: 'Check that the object store runs and can be reached. It is tried again.' });
}

const CREDENTIALS = 'Check access key and secret (VNA_S3_ACCESS_KEY_ID, VNA_S3_SECRET_ACCESS_KEY).';
const REGION = 'Set VNA_S3_REGION to the region of the bucket.';
const PERMISSION = 'Give the user of the archive this permission on the bucket.';
const FULL: ReadonlySet<string> = new Set(['QuotaExceeded', 'XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded', 'InsufficientStorage', 'NoSpaceLeft']);
const REMEDIES: Readonly<Record<string, string | undefined>> = {
  InvalidAccessKeyId: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  XAdminUserNotFound: CREDENTIALS,
  CredentialsProviderError: CREDENTIALS,
  InvalidToken: CREDENTIALS,
  ExpiredToken: CREDENTIALS,
  NoSuchBucket: 'Create the bucket or correct VNA_S3_BUCKET.',
  InvalidBucketName: 'Correct VNA_S3_BUCKET.',
  AuthorizationHeaderMalformed: REGION,
  PermanentRedirect: REGION,
  IllegalLocationConstraintException: REGION,
  RequestTimeTooSkewed: 'Set the clock of this machine, or of the object store.',
  NotImplemented: 'Use an object store that has this operation.',
};

function remedyOf(code: string, status: number | undefined): string | undefined {
  if (TLS.test(code)) return 'Name the authority of its certificate with VNA_S3_CA_FILE.';
  return REMEDIES[code] ?? (status === 301 ? REGION : status === 401 || status === 403 ? PERMISSION : undefined);
}
