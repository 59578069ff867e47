import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { UnavailableError } from '@perennia/errors';
import { OtlpReceiver } from '@perennia/testing';
import { BatchTrace, createLogger, Metrics, parseTraceparent } from '@perennia/telemetry';
import { OtlpTracing } from './otlp-tracing.js';
import { readHeaders } from './read-headers.js';

const CALLER = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('OtlpTracing', () => {
  let receiver: OtlpReceiver;
  let metrics: Metrics;
  let tracing: OtlpTracing;
  const open = (more: Partial<ConstructorParameters<typeof OtlpTracing>[0]> = {}): OtlpTracing => new OtlpTracing({
    endpoint: receiver.endpoint, headers: {}, sampleRatio: 1, serviceName: 'perennia-test', serviceVersion: '1', serviceInstance: 'here/1', metrics, ...more,
  });
  const counts = async (): Promise<Record<string, number>> => {
    const { values } = await (metrics.counter('vna_telemetry_spans_total', '', ['result']).get());
    return Object.fromEntries(values.map(({ labels, value }) => [labels['result'], value]));
  };
  beforeEach(async () => {
    receiver = await OtlpReceiver.start();
    metrics = new Metrics();
    tracing = open();
  });
  afterEach(async () => {
    await tracing.close();
    await receiver.stop();
  });

  it('given a span with a parent, a link and attributes, when closed, then all of it has arrived', async () => {
    const linked = tracing.begin('another');
    const span = tracing.begin('work', { kind: 'server', parent: CALLER, links: [linked.traceparent, 'nonsense'], attributes: { 'dicom.status': 0 } });
    span.set({ 'perennia.receipt_id': 'r-1' });
    span.fail('STORE_FULL');
    span.end();
    span.end();
    linked.end();
    await tracing.close();
    const { traceId, spanId } = parseTraceparent(span.traceparent)!;
    const ofLinked = parseTraceparent(linked.traceparent)!;
    expect(receiver.spans.map(({ name }) => name)).toEqual(['work', 'another']);
    expect(receiver.spans[0]).toMatchObject({
      traceId: parseTraceparent(CALLER)!.traceId, spanId, parentSpanId: parseTraceparent(CALLER)!.spanId, service: 'perennia-test', instance: 'here/1', failed: true,
      attributes: { 'dicom.status': 0, 'perennia.receipt_id': 'r-1', 'error.type': 'STORE_FULL' }, links: [{ traceId: ofLinked.traceId, spanId: ofLinked.spanId }],
    });
    expect(traceId).not.toBe(ofLinked.traceId);
    expect(receiver.spans[1]).toMatchObject({ traceId: ofLinked.traceId, parentSpanId: '', failed: false });
  });

  it('given a share, when asked often, then chance decides', () => {
    const drawn = [0.1, 0.2499, 0.25, 0.9];
    tracing = open({ sampleRatio: 0.25, random: () => drawn.shift()! });
    expect([1, 2, 3, 4].map(() => tracing.sample())).toEqual([true, true, false, false]);
  });

  it('given work within a span, when it logs, then its lines carry the ids, and others do not', async () => {
    const lines: string[] = [];
    const log = createLogger('test', { tracing, destination: { write: (line) => void lines.push(line) } });
    const span = tracing.begin('work');
    log.info('before');
    await tracing.within(span, async () => {
      await new Promise(setImmediate);
      log.info('inside');
    });
    span.end();
    const { traceId, spanId } = parseTraceparent(span.traceparent)!;
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.not.objectContaining({ trace_id: expect.anything() }), expect.objectContaining({ msg: 'inside', trace_id: traceId, span_id: spanId }),
    ]);
  });

  it('given a batch of which two objects are traced, then its span links both, and each goes on with a short one of its own', async () => {
    const [one, two] = [tracing.begin('stored'), tracing.begin('stored')];
    const trace = BatchTrace.begin(tracing, { name: 'batch', kind: 'consumer', member: 'indexed', parents: [undefined, one.traceparent, undefined, two.traceparent, two.traceparent] })!;
    expect(trace.next(undefined)).toBeUndefined();
    await expect(trace.run(() => Promise.reject(new UnavailableError('away')))).rejects.toThrow('away');
    await tracing.close();
    const batch = receiver.spans.find(({ name }) => name === 'batch')!;
    expect(batch).toMatchObject({ parentSpanId: '', failed: true, attributes: { 'error.type': 'UNAVAILABLE' } });
    expect(batch.links.map(({ spanId }) => spanId)).toEqual([one, two].map(({ traceparent }) => parseTraceparent(traceparent)!.spanId));
    const indexed = receiver.spans.filter(({ name }) => name === 'indexed');
    expect(indexed.map(({ parentSpanId }) => parentSpanId)).toEqual([one, two].map(({ traceparent }) => parseTraceparent(traceparent)!.spanId));
    expect(parseTraceparent(trace.next(two.traceparent))).toMatchObject({ traceId: indexed[1]!.traceId, spanId: indexed[1]!.spanId });
  });

  it('given a batch in which nothing is traced, then there are no spans', () => {
    expect(BatchTrace.begin(tracing, { name: 'batch', kind: 'consumer', member: 'indexed', parents: [undefined, undefined] })).toBeUndefined();
  });

  it('given a collector that hangs, when spans go on coming, then none is waited for, memory is bounded and what is too much is counted', async () => {
    receiver.behaviour = 'hanging';
    tracing.begin('first').end();
    await receiver.until(() => receiver.requests === 1);
    const beganMs = performance.now();
    for (let number = 0; number < 10_000; number++) tracing.begin('more').end();
    expect(performance.now() - beganMs).toBeLessThan(5000);
    expect((await counts())['dropped']).toBe(10_001 - 2048);
    const closingMs = performance.now();
    await tracing.close();
    expect(performance.now() - closingMs).toBeLessThan(1500);
    expect(await counts()).toEqual({ sent: 0, refused: 0, dropped: 10_001 });
  });

  it('given a collector that is away for a while, then what waited arrives when it is back', async () => {
    receiver.behaviour = 'unavailable';
    tracing.begin('first').end();
    await receiver.until(() => receiver.requests === 1);
    receiver.behaviour = 'taking';
    tracing.begin('second').end();
    await receiver.until(() => receiver.spans.length === 2);
    expect(receiver.spans.map(({ name }) => name)).toEqual(['first', 'second']);
    await tracing.close();
    expect(await counts()).toEqual({ sent: 2, refused: 0, dropped: 0 });
  });

  it('given a collector that refuses what it is sent, then it is not sent again', async () => {
    receiver.behaviour = 'refusing';
    tracing.begin('first').end();
    await tracing.close();
    expect(receiver.requests).toBe(1);
    expect(await counts()).toEqual({ sent: 0, refused: 1, dropped: 0 });
  });

  it('given variables of OpenTelemetry in the environment, then they change nothing', async () => {
    const before = process.env;
    jest.replaceProperty(process, 'env', {
      ...before, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_EXPORTER_OTLP_HEADERS: 'x-of-environment=1', OTEL_SERVICE_NAME: 'another', OTEL_TRACES_SAMPLER: 'always_off',
      OTEL_RESOURCE_ATTRIBUTES: 'secret=1', OTEL_SDK_DISABLED: 'true',
    });
    tracing = open({ headers: { authorization: 'Bearer hush' } });
    tracing.begin('work').end();
    await tracing.close();
    jest.restoreAllMocks();
    expect(receiver.spans.map(({ service }) => service)).toEqual(['perennia-test']);
    expect(receiver.lastHeaders).toMatchObject({ authorization: 'Bearer hush', 'content-type': 'application/json' });
    expect(receiver.lastHeaders).not.toHaveProperty('x-of-environment');
    expect(receiver.text).not.toContain('secret');
  });
});

describe('readHeaders', () => {
  const folder = mkdtempSync(join(tmpdir(), 'perennia-headers-'));
  afterEach(() => rmSync(join(folder, 'headers'), { force: true }));
  const file = (text: string): string => {
    writeFileSync(join(folder, 'headers'), text);
    return join(folder, 'headers');
  };

  it('given lines with names and values, then they are headers; comments and empty lines are none', () => {
    expect(readHeaders(file('# of the collector\n\nAuthorization: Basic dTpw=\r\nx-scope: a b\n'))).toEqual({ authorization: 'Basic dTpw=', 'x-scope': 'a b' });
  });
  it('given a line that is no header, then the refusal names the line and shows nothing of it', () => {
    const read = (): unknown => readHeaders(file('a: b\nhush hush\n'));
    expect(read).toThrow('Line 2');
    expect(read).not.toThrow('hush');
  });
  it('given no file, then the refusal says so', () => {
    expect(() => readHeaders(join(folder, 'gone'))).toThrow('cannot be read (ENOENT)');
  });
});
