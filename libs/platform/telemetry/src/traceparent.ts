// The header `traceparent` of W3C Trace Context (https://www.w3.org/TR/trace-context/, level 1): in receipts and envelopes, and from
// callers of HTTP. What does not follow the rules is as if it were not there: a caller's mistake must not fail his request.

export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  traceId: string;
  /** 16 lower-case hex digits, not all zero. */
  spanId: string;
  /** Whether who made it records. */
  sampled: boolean;
}

/** Characters of version 00; a later version may append more behind a hyphen (§3.2.2, §4.3). */
export const TRACEPARENT_CHARACTERS = 55;
const PATTERN = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  const found = text === undefined || text.length > 256 ? null : PATTERN.exec(text);
  if (!found) return undefined;
  const [, version, traceId, spanId, flags, more] = found;
  if (version === 'ff' || (version === '00' && more !== undefined) || isZero(traceId!) || isZero(spanId!)) return undefined;
  return { traceId: traceId!, spanId: spanId!, sampled: (Number.parseInt(flags!, 16) & SAMPLED) === SAMPLED };
}

export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

const isZero = (digits: string): boolean => /^0+$/.test(digits);
