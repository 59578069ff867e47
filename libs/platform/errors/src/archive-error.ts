// One base for every error of ours. Classes below it differ by what the caller can do, not by where they arose.

export interface ArchiveErrorOptions {
  cause?: unknown;
  /** Typed facts for logs and answers; never patient data. */
  details?: Readonly<Record<string, unknown>>;
  /** What a person can do about it, one sentence. */
  remedy?: string;
}

export abstract class ArchiveError extends Error {
  /** Stable, UPPER_SNAKE; may be matched by callers and shown to people. */
  abstract readonly code: string;
  /** Whether trying again later, unchanged, may succeed. */
  readonly retriable: boolean = false;
  readonly details: Readonly<Record<string, unknown>>;
  readonly remedy: string | undefined;

  constructor(message: string, options: ArchiveErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.details = options.details ?? {};
    this.remedy = options.remedy;
  }
}
