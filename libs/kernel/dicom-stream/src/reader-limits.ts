// Bounds on what one dataset may ask of its reader. Beyond them it is refused with LIMIT_EXCEEDED.

export interface ReaderLimits {
  /** Sequences within sequences; the deepest real ones met are below 20. */
  maxDepth: number;
  /** Elements, items and fragments together; reading them costs time only, so the bound is far away. */
  maxElements: number;
  /** Longest value that is gathered, in bytes. */
  maxCapturedBytes: number;
  /** Inflated size of a deflated dataset, in bytes. */
  maxInflatedBytes: number;
  /** Inflated to deflated size; looked at beyond the first 16 MiB of output. */
  maxInflateRatio: number;
}

export const DEFAULT_READER_LIMITS: ReaderLimits = {
  maxDepth: 64,
  maxElements: 16_777_216,
  maxCapturedBytes: 64 * 1024 * 1024,
  maxInflatedBytes: 4 * 1024 * 1024 * 1024,
  maxInflateRatio: 200,
};
