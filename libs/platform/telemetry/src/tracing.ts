// Port: traces. Off unless an endpoint is configured: then `enabled` is false, nothing else is called, and no library is loaded. Attributes
// follow the semantic conventions of OpenTelemetry, ours begin with `dicom.` or `perennia.`; they never carry patient data or UIDs of
// studies, series and instances (CONTRIBUTING.md): an object is named by its receipt id.

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export interface SpanOptions {
  /** Default `internal`. */
  kind?: SpanKind;
  /** Traceparent of what caused it; without one it begins a trace. */
  parent?: string | undefined;
  /** Traceparents of what it works on without being caused by one of them. */
  links?: readonly string[];
  attributes?: SpanAttributes;
}

/** Fields of a log line that belongs to a span, as OpenTelemetry names them. */
export interface TraceFields {
  trace_id: string;
  span_id: string;
}

export interface TraceSpan {
  /** For what is caused by it; always sampled. */
  readonly traceparent: string;
  readonly logFields: TraceFields;
  set(attributes: SpanAttributes): void;
  /** @param reason a code, never a message: those of foreign errors may quote values */
  fail(reason: string): void;
  /** The second time does nothing. */
  end(): void;
}

export abstract class Tracing {
  /** Asked before anything else, once for what is done often. */
  abstract readonly enabled: boolean;

  /** Whether something that no caller decided about is recorded. */
  abstract sample(): boolean;
  abstract begin(name: string, options?: SpanOptions): TraceSpan;
  /** Log lines that are written while `work` runs, or is waited for, carry the span. */
  abstract within<T>(span: TraceSpan, work: () => T): T;
  /** Of the span within which this is called. */
  abstract activeFields(): TraceFields | undefined;
  /** Sends what waits, for half a second at most. */
  abstract close(): Promise<void>;
}

const NO_SPAN: TraceSpan = { traceparent: '', logFields: { trace_id: '', span_id: '' }, set: () => undefined, fail: () => undefined, end: () => undefined };

export class NoTracing extends Tracing {
  readonly enabled = false;

  sample(): boolean {
    return false;
  }
  begin(): TraceSpan {
    return NO_SPAN;
  }
  within<T>(_span: TraceSpan, work: () => T): T {
    return work();
  }
  activeFields(): undefined {
    return undefined;
  }
  async close(): Promise<void> {}
}
