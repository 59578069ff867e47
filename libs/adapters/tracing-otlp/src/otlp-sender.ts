// Posts spans to a collector (OTLP 1.x over HTTP, JSON). The exporter of OpenTelemetry is not used: it reads OTEL_… variables, which would
// be settings that `vna config` does not show.
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/** `later`: the same may be taken in a while; `refused`: it never will. */
export type SendOutcome = 'taken' | 'later' | 'refused';

const DEADLINE_MS = 10_000;
/** OTLP specification, "Failures": answers after which a client tries again. */
const PASSING = new Set([429, 502, 503, 504]);

export class OtlpSender {
  constructor(private readonly url: URL, private readonly headers: Readonly<Record<string, string>>) {}

  /** Never throws. @param giveUp ends it as `later` */
  async send(spans: ReadableSpan[], giveUp: AbortSignal): Promise<SendOutcome> {
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        // What must be so comes last.
        headers: { ...this.headers, 'content-type': 'application/json' },
        body: JsonTraceSerializer.serializeRequest(spans)!,
        redirect: 'error',
        signal: AbortSignal.any([giveUp, AbortSignal.timeout(DEADLINE_MS)]),
      });
      await response.body?.cancel();
      if (response.ok) return 'taken';
      return PASSING.has(response.status) ? 'later' : 'refused';
    } catch {
      return 'later';
    }
  }
}
