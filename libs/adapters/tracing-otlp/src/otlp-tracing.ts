// Traces by OpenTelemetry, sent over OTLP. Everything is passed on by hand: no globals are registered, nothing is instrumented behind our
// back, and no environment variable is read.
import { AsyncLocalStorage } from 'node:async_hooks';
import { ROOT_CONTEXT, SpanKind, TraceFlags, trace, type Context, type Link, type SpanContext, type Tracer } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { parseTraceparent, Tracing, type Metrics, type SpanOptions, type TraceFields, type TraceSpan } from '@perennia/telemetry';
import { OtlpSender } from './otlp-sender.js';
import { OtlpSpan } from './otlp-span.js';
import { SpanQueue } from './span-queue.js';

export interface OtlpTracingOptions {
  /** Of the collector; `/v1/traces` is appended. */
  endpoint: string;
  headers: Readonly<Record<string, string>>;
  /** 0 to 1. */
  sampleRatio: number;
  serviceName: string;
  serviceVersion: string;
  /** Tells copies of a service apart. */
  serviceInstance: string;
  metrics: Metrics;
  /** In place of chance: 0 to 1. */
  random?: () => number;
}

const KINDS = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER };
const CLOSE_DEADLINE_MS = 500;

export class OtlpTracing extends Tracing {
  readonly enabled = true;
  private readonly active = new AsyncLocalStorage<TraceSpan>();
  private readonly queue: SpanQueue;
  private readonly tracer: Tracer;
  private readonly random: () => number;

  constructor(private readonly options: OtlpTracingOptions) {
    super();
    const { endpoint, headers, serviceName, serviceVersion, serviceInstance, metrics, random = Math.random } = options;
    this.random = random;
    this.queue = new SpanQueue(new OtlpSender(new URL(`${endpoint.replace(/\/+$/, '')}/v1/traces`), headers), metrics);
    const provider = new TracerProvider({
      // Who begins a span has decided that it is recorded.
      sampler: new AlwaysOnSampler(),
      resource: resourceFromAttributes({ 'service.name': serviceName, 'service.namespace': 'perennia', 'service.version': serviceVersion, 'service.instance.id': serviceInstance }),
      spanLimits: { attributeValueLengthLimit: 256 },
      spanProcessors: [this.queue],
    });
    this.tracer = provider.getTracer('perennia', serviceVersion);
  }

  sample(): boolean {
    return this.random() < this.options.sampleRatio;
  }

  begin(name: string, { kind = 'internal', parent, links = [], attributes = {} }: SpanOptions = {}): TraceSpan {
    const options = { kind: KINDS[kind], links: links.flatMap(linkOf), attributes: { ...attributes } };
    return new OtlpSpan(this.tracer.startSpan(name, options, contextOf(parent)));
  }

  within<T>(span: TraceSpan, work: () => T): T {
    return this.active.run(span, work);
  }

  activeFields(): TraceFields | undefined {
    return this.active.getStore()?.logFields;
  }

  close(): Promise<void> {
    return this.queue.close(CLOSE_DEADLINE_MS);
  }
}

function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const found = parseTraceparent(traceparent);
  return found && { traceId: found.traceId, spanId: found.spanId, traceFlags: found.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true };
}

function contextOf(parent: string | undefined): Context {
  const context = spanContextOf(parent);
  return context ? trace.setSpanContext(ROOT_CONTEXT, context) : ROOT_CONTEXT;
}

function linkOf(traceparent: string): Link[] {
  const context = spanContextOf(traceparent);
  return context ? [{ context }] : [];
}
