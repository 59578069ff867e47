// Traces from outside: the way of an object through all processes is one trace, lines of the log belong to it, nothing of a patient leaves
// with it, and a collector that hangs or is away is nobody's trouble. Without an endpoint nothing of it is loaded.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DicomRequestor } from '@perennia/dicom-net';
import { OtlpReceiver, Product, stow, syntheticObject, type ReceivedSpan, type SyntheticObject } from '@perennia/testing';

const ROOT = `1.2.826.0.1.3680043.10.9.${Date.now()}`;
/** So long that it is found in no id by chance. */
const STUDY = 73_451_298;
const CALLER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
/** What `syntheticObject` says of a patient, and UIDs. */
const TELLING = [`P${STUDY}`, `A${STUDY}`, `Patient${STUDY}`, 'Promise^', 'Referrer', ROOT];
const STEPS = ['stored', 'published', 'indexed', 'filed'];

const objects = (study: number, count: number): SyntheticObject[] =>
  Array.from({ length: count }, (_, index) => syntheticObject({ root: ROOT, study: STUDY + study, series: 1, instance: index + 1, pixelBytes: 2000 }));

describe('an archive with a collector', () => {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-telemetry-'));
  const loaded = join(directory, 'loaded.txt');
  let receiver: OtlpReceiver;
  let product: Product;

  beforeAll(async () => {
    receiver = await OtlpReceiver.start();
    writeFileSync(join(directory, 'headers'), 'x-collector-key: hush\n');
    product = await Product.start({
      dataDirectory: join(directory, 'data'),
      environment: {
        VNA_TELEMETRY_ENDPOINT: receiver.endpoint, VNA_TELEMETRY_SAMPLE_RATIO: '1', VNA_TELEMETRY_HEADERS_FILE: join(directory, 'headers'), VNA_LIFECYCLE_SETTLE: '1s',
        ...watchLoading(loaded),
      },
    });
  }, 120_000);
  afterAll(async () => {
    await product?.stop();
    await receiver?.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(() => {
    receiver.behaviour = 'taking';
  });

  const store = async (sent: readonly SyntheticObject[], callingAet = 'TRACED_CT'): Promise<number[]> => {
    const association = await DicomRequestor.connect({
      host: '127.0.0.1', port: product.dicomPort, callingAet, calledAet: 'PERENNIA', responseTimeoutMs: 10_000,
      contexts: [{ abstractSyntax: sent[0]!.sopClassUid, transferSyntaxes: [sent[0]!.transferSyntaxUid] }],
    });
    const statuses: number[] = [];
    for (const object of sent) statuses.push((await association.store(object)).status);
    await association.release();
    return statuses;
  };
  const spansOf = (traceId: string): ReceivedSpan[] => receiver.spans.filter((span) => span.traceId === traceId);
  const root = (name: string, attribute: string, value: string): ReceivedSpan | undefined =>
    receiver.spans.find((span) => span.name === name && span.attributes[attribute] === value);
  const filedOf = (span: ReceivedSpan | undefined): number => (span ? spansOf(span.traceId).filter(({ name }) => name === 'filed').length : 0);

  it('given an association with three objects, when they are filed, then its trace shows the four steps of each, in order and through both processes', async () => {
    expect(await store(objects(0, 3))).toEqual([0, 0, 0]);
    const association = (): ReceivedSpan | undefined => root('association', 'dicom.calling_ae_title', 'TRACED_CT');
    await receiver.until(() => filedOf(association()) === 3);
    const trace = spansOf(association()!.traceId);
    expect(association()).toMatchObject({
      parentSpanId: '', service: 'perennia-ingest', failed: false, attributes: { 'dicom.called_ae_title': 'PERENNIA', 'perennia.recorded_objects': 3 },
    });
    expect(trace).toHaveLength(1 + 3 * STEPS.length);
    expectWays(trace, association()!, 3, ['perennia-ingest', 'perennia-ingest', 'perennia-worker', 'perennia-worker']);
    const stored = trace.filter(({ name }) => name === 'stored');
    for (const { attributes } of stored) {
      expect(attributes).toMatchObject({ 'dicom.status': 0, 'dicom.sop_class_uid': '1.2.840.10008.5.1.4.1.1.2', 'dicom.transfer_syntax_uid': '1.2.840.10008.1.2.1' });
      expect(attributes['perennia.receipt_id']).toMatch(/^[0-9a-f-]{36}$/);
    }
    // Batches are traces of their own that link what is in them.
    const storedIds = stored.map(({ spanId }) => spanId);
    const sends = receiver.spans.filter(({ name }) => name === 'send vna.instance.received.v1');
    expect(sends.flatMap(({ links }) => links.map(({ spanId }) => spanId)).filter((id) => storedIds.includes(id)).toSorted()).toEqual(storedIds.toSorted());
    expect(receiver.spans.find(({ name }) => name === 'process vna.instance.received.v1')).toMatchObject({ parentSpanId: '', attributes: { 'messaging.consumer.group.name': 'indexing' } });
  }, 60_000);

  it('given an upload whose caller sends a traceparent, when its objects are filed, then they belong to the caller and its processes are web and worker', async () => {
    const sent = objects(1, 2);
    expect(await stow(product.web, sent, { traceparent: `00-${CALLER.traceId}-${CALLER.spanId}-01` })).toHaveLength(2);
    await receiver.until(() => spansOf(CALLER.traceId).filter(({ name }) => name === 'filed').length === 2 && spansOf(CALLER.traceId).some(({ name }) => name.startsWith('POST')));
    const trace = spansOf(CALLER.traceId);
    const request = trace.find(({ name }) => name === 'POST /dicom-web/studies')!;
    expect(request).toMatchObject({ parentSpanId: CALLER.spanId, service: 'perennia-web', attributes: { 'http.request.method': 'POST', 'http.route': '/dicom-web/studies', 'http.response.status_code': 200 } });
    expectWays(trace, request, 2, ['perennia-web', 'perennia-web', 'perennia-worker', 'perennia-worker']);
  }, 60_000);

  it('given a caller who does not record, then nothing of his request is', async () => {
    const traceId = CALLER.traceId.replace('4', '5');
    expect(await stow(product.web, objects(2, 1), { traceparent: `00-${traceId}-${CALLER.spanId}-00` })).toHaveLength(1);
    await fetch(`${product.web}/studies?limit=1`);
    await receiver.until(() => root('GET /dicom-web/studies', 'http.request.method', 'GET') !== undefined);
    expect(spansOf(traceId)).toEqual([]);
  }, 60_000);

  it('given an object that is refused, then its span and the line of the log say why, in codes', async () => {
    const [object] = objects(3, 1);
    const [status] = await store([{ ...object!, dataset: object!.dataset.subarray(0, 200) }], 'BROKEN_CT');
    expect(status).not.toBe(0);
    const association = (): ReceivedSpan | undefined => root('association', 'dicom.calling_ae_title', 'BROKEN_CT');
    await receiver.until(() => association() !== undefined);
    const stored = spansOf(association()!.traceId).find(({ name }) => name === 'stored')!;
    expect(stored).toMatchObject({ failed: true, attributes: { 'dicom.status': status, 'error.type': expect.stringMatching(/^[A-Z_]+$/) } });
    expect(linesOf(product, 'object refused')).toContainEqual(expect.objectContaining({ trace_id: stored.traceId, span_id: stored.spanId }));
  }, 60_000);

  it('given lines of the log about associations, then each carries the ids of its trace', () => {
    for (const message of ['association accepted', 'association released']) {
      const ids = linesOf(product, message).map(({ trace_id }) => trace_id);
      expect(ids.length).toBeGreaterThanOrEqual(2);
      expect(ids.filter((id) => spansOf(String(id)).some(({ name }) => name === 'association'))).toHaveLength(ids.length);
    }
  });

  it('given all that was exported, then nothing of a patient and no UID of a study is in it, nor in the log, and the header came with it', () => {
    expect(receiver.text.length).toBeGreaterThan(5000);
    for (const telling of TELLING) expect({ telling, exported: receiver.text.includes(telling), logged: product.output.includes(telling) }).toEqual({ telling, exported: false, logged: false });
    expect(receiver.lastHeaders).toMatchObject({ 'x-collector-key': 'hush' });
    expect(receiver.text + product.output).not.toContain('hush');
  });

  it('given a collector that hangs, then objects are stored, found and filed as before, and the archive stops in order', async () => {
    receiver.behaviour = 'hanging';
    const requests = receiver.requests;
    expect((await store(objects(10, 100))).every((status) => status === 0)).toBe(true);
    await receiver.until(() => receiver.requests > requests);
    expect(await stow(product.web, objects(11, 20))).toHaveLength(20);
    const found = await fetch(`${product.web}/instances?StudyInstanceUID=${ROOT}.${STUDY + 11}`, { headers: { accept: 'application/dicom+json' } });
    expect((await found.json()) as unknown[]).toHaveLength(20);
    expect(await product.stop()).toBeLessThan(10_000);
    expect(product.output).not.toContain('A process of the archive ended');
  }, 120_000);

  it('given no endpoint, when it runs and stores, then nothing that records or sends is loaded', async () => {
    expect(readFileSync(loaded, 'utf8')).toContain('sdk-trace');
    const quiet = join(directory, 'quiet.txt');
    const silent = await Product.start({ dataDirectory: join(directory, 'silent'), environment: watchLoading(quiet) });
    try {
      expect(await stow(silent.web, objects(20, 2))).toHaveLength(2);
      expect(existsSync(quiet)).toBe(false);
    } finally {
      await silent.stop();
    }
  }, 120_000);
});

/** Each object's way hangs below `parent`: four spans, each the child of the one before, none beginning before it. */
function expectWays(trace: readonly ReceivedSpan[], parent: ReceivedSpan, count: number, services: readonly string[]): void {
  const ways = trace.filter(({ name, parentSpanId }) => name === 'stored' && parentSpanId === parent.spanId).map((stored) => wayFrom(trace, stored));
  expect(ways.map((way) => way.map(({ name }) => name))).toEqual(Array.from({ length: count }, () => STEPS));
  for (const way of ways) {
    expect(way.map(({ service }) => service)).toEqual(services);
    // Clocks of processes are read to the millisecond.
    for (const [index, span] of way.slice(1).entries()) expect(span.startNs + 2_000_000n).toBeGreaterThanOrEqual(way[index]!.startNs);
    expect(way[0]!.startNs).toBeGreaterThanOrEqual(parent.startNs);
  }
}

function wayFrom(trace: readonly ReceivedSpan[], from: ReceivedSpan): ReceivedSpan[] {
  const next = trace.find(({ parentSpanId }) => parentSpanId === from.spanId);
  return next ? [from, ...wayFrom(trace, next)] : [from];
}

function linesOf(product: Product, message: string): Record<string, unknown>[] {
  const lines = product.output.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === message);
}

/** Every process appends to `file` what it loads of OpenTelemetry, but for the package of interfaces that prom-client loads. */
function watchLoading(file: string): Record<string, string> {
  const hook = `${file}.mjs`;
  writeFileSync(hook, `
    import { appendFileSync } from 'node:fs';
    import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) {
      if (/@opentelemetry\\/(?!api\\/)|tracing-otlp/.test(url)) appendFileSync(${JSON.stringify(file)}, url + '\\n');
      return next(url, context);
    } });`);
  return { NODE_OPTIONS: `--import=${hook}` };
}
