// A span of OpenTelemetry behind the port.
import { SpanStatusCode, type Span } from '@opentelemetry/api';
import { formatTraceparent, type SpanAttributes, type TraceFields, type TraceSpan } from '@perennia/telemetry';

export class OtlpSpan implements TraceSpan {
  readonly traceparent: string;

  constructor(private readonly span: Span) {
    const { traceId, spanId } = span.spanContext();
    this.traceparent = formatTraceparent({ traceId, spanId, sampled: true });
  }

  get logFields(): TraceFields {
    const { traceId, spanId } = this.span.spanContext();
    return { trace_id: traceId, span_id: spanId };
  }

  set(attributes: SpanAttributes): void {
    this.span.setAttributes(attributes);
  }

  fail(reason: string): void {
    this.span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', reason);
  }

  end(): void {
    if (this.span.isRecording()) this.span.end();
  }
}
