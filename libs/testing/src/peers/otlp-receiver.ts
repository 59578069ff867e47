// A collector of OpenTelemetry in miniature: takes OTLP over HTTP as JSON, keeps what it is sent, and can hang or refuse.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** Empty where the span begins a trace. */
  parentSpanId: string;
  name: string;
  service: string;
  /** Process of the service. */
  instance: string;
  attributes: Record<string, string | number | boolean>;
  links: { traceId: string; spanId: string }[];
  /** Nanoseconds since 1970. */
  startNs: bigint;
  endNs: bigint;
  failed: boolean;
}
type Behaviour = 'taking' | 'hanging' | 'unavailable' | 'refusing';

interface OtlpValue {
  stringValue?: string;
  intValue?: number | string;
  doubleValue?: number;
  boolValue?: boolean;
}
type OtlpAttributes = { key: string; value: OtlpValue }[];
interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  attributes?: OtlpAttributes;
  links?: { traceId: string; spanId: string }[];
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  status?: { code?: number };
}
interface OtlpTraces {
  resourceSpans: { resource: { attributes: OtlpAttributes }; scopeSpans: { spans: OtlpSpan[] }[] }[];
}

const FAILED = 2;
const STATUS: Readonly<Record<Exclude<Behaviour, 'hanging'>, number>> = { taking: 200, unavailable: 503, refusing: 400 };

export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  /** Everything it was sent, as it came. */
  text = '';
  requests = 0;
  lastHeaders: IncomingMessage['headers'] = {};
  behaviour: Behaviour = 'taking';
  readonly #server: Server;
  #onRequest: () => void = () => undefined;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when `enough` holds, looked at after each request. @throws after `timeoutMs` */
  async until(enough: () => boolean, timeoutMs = 30_000): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#onRequest();
    }, timeoutMs);
    while (!enough()) {
      if (late) throw new Error(`The collector got ${this.spans.length} spans in ${this.requests} requests, and not what was waited for`);
      await new Promise<void>((resolve) => (this.#onRequest = resolve));
    }
    clearTimeout(timer);
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.requests += 1;
    this.lastHeaders = request.headers;
    const { behaviour } = this;
    const isTraces = request.method === 'POST' && request.url === '/v1/traces' && request.headers['content-type'] === 'application/json';
    if (behaviour === 'taking' && isTraces) this.#take(Buffer.concat(chunks).toString());
    if (behaviour !== 'hanging') response.writeHead(isTraces ? STATUS[behaviour] : 404, { 'content-type': 'application/json' }).end('{"partialSuccess":{}}');
    this.#onRequest();
  }

  #take(text: string): void {
    this.text += text;
    for (const { resource, scopeSpans } of (JSON.parse(text) as OtlpTraces).resourceSpans) {
      const { 'service.name': service, 'service.instance.id': instance } = valuesOf(resource.attributes);
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) this.spans.push(received(span, String(service), String(instance)));
    }
  }
}

function received(span: OtlpSpan, service: string, instance: string): ReceivedSpan {
  const { traceId, spanId, parentSpanId = '', name, attributes = [], links = [], startTimeUnixNano, endTimeUnixNano, status } = span;
  return {
    traceId, spanId, parentSpanId, name, service, instance, attributes: valuesOf(attributes), links: links.map((link) => ({ traceId: link.traceId, spanId: link.spanId })),
    startNs: BigInt(startTimeUnixNano), endNs: BigInt(endTimeUnixNano), failed: status?.code === FAILED,
  };
}

function valuesOf(attributes: OtlpAttributes): ReceivedSpan['attributes'] {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.boolValue ?? value.doubleValue ?? Number(value.intValue)]));
}
