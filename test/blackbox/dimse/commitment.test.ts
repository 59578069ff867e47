// D11: storage commitment of the running archive, with pynetdicom as who asks.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DicomRequestor } from '@perennia/dicom-net';
import { freePort, hasBackend, Product, syntheticObject, type SyntheticObject } from '@perennia/testing';
import { vna } from './archive-tools.js';

const run = promisify(execFile);
const repository = resolve(import.meta.dirname, '../../..');
const script = join(repository, 'test/interop/pynetdicom_commitment.py');
const directory = mkdtempSync(join(tmpdir(), 'perennia-commitment-'));
const root = `1.2.826.0.1.3680043.10.9.${Date.now()}`;
const UNKNOWN = `${root}.999`;
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
let product: Product;
let port: number;
let objects: SyntheticObject[];
let transactions = 0;

beforeAll(async () => {
  const config = join(directory, 'vna.yaml');
  writeFileSync(config, 'sources:\n  profiles:\n    - {name: same, callingAets: [SAME], addresses: [127.0.0.1], commitmentReport: same}\n    - {name: others, addresses: [127.0.0.1]}\n');
  product = await Product.start({ dataDirectory: join(directory, 'data'), environment: { VNA_LOG_LEVEL: 'warn', VNA_CONFIG: config, VNA_RETRIEVE_COMMITMENT_GRACE: '2s' } });
  port = await freePort();
  objects = Array.from({ length: 5 }, (_, index) => syntheticObject({ root, study: 1, series: 1, instance: index + 1, pixelBytes: 10_000 }));
  await vna(product, 'node', 'add', 'MODALITY', '--host', '127.0.0.1', '--port', String(port));
  const association = await DicomRequestor.connect({
    host: '127.0.0.1', port: product.dicomPort, callingAet: 'MODALITY', calledAet: 'PERENNIA', contexts: [{ abstractSyntax: objects[0]!.sopClassUid, transferSyntaxes: [objects[0]!.transferSyntaxUid] }],
  });
  for (const object of objects) expect((await association.store(object)).status).toBe(0);
  await association.release();
}, 120_000);
afterAll(async () => {
  await product?.stop();
  rmSync(directory, { recursive: true, force: true });
});


interface Asked {
  statuses: string[];
  events: { type: number; transaction: string; committed: string[]; failed: Record<string, string>; own: boolean }[];
}
async function ask(references: readonly [string, string][], options: object = {}): Promise<Asked & { transaction: string }> {
  transactions += 1;
  const transaction = `${root}.7.${transactions}`;
  const request = { aet: 'MODALITY', listenPort: port, transaction, references, ...options };
  const { stdout } = await run('python3', [script, '127.0.0.1', String(product.dicomPort), JSON.stringify(request)]);
  return { ...(JSON.parse(stdout) as Asked), transaction };
}
const referencesOf = (list: readonly SyntheticObject[]): [string, string][] => list.map(({ sopClassUid, sopInstanceUid }) => [sopClassUid, sopInstanceUid]);
const uids = (): string[] => objects.map(({ sopInstanceUid }) => sopInstanceUid).toSorted();

(hasBackend('python') ? describe : describe.skip)('D11 storage commitment', () => {
  it('is answered at once, and the result is told on an association of the archive: event 1 when all is there, just after it was stored', async () => {
    const { statuses, events, transaction } = await ask(referencesOf(objects));
    expect(statuses).toEqual(['0000']);
    expect(events).toEqual([{ type: 1, transaction, committed: uids(), failed: {}, own: true }]);
  });
  it('tells each failure with its reason: event 2, 0112 for what is not known, 0119 for another class', async () => {
    const { events } = await ask([...referencesOf(objects.slice(0, 3)), [objects[0]!.sopClassUid, UNKNOWN], [SECONDARY_CAPTURE, objects[4]!.sopInstanceUid]]);
    expect(events).toMatchObject([{ type: 2, committed: uids().slice(0, 3), failed: { [UNKNOWN]: '0112', [objects[4]!.sopInstanceUid]: '0119' } }]);
  }, 30_000);
  it('is safe when the same transaction is asked twice', async () => {
    const { statuses, events, transaction } = await ask(referencesOf(objects.slice(0, 1)), { times: 2, results: 2, wait: 3 });
    expect(statuses).toEqual(['0000', '0000']);
    expect(events.length).toBeGreaterThan(0);
    for (const each of events) expect(each).toMatchObject({ type: 1, transaction, committed: [objects[0]!.sopInstanceUid] });
  });
  it('is told on the association of the request where the source wants that', async () => {
    const { events, transaction } = await ask(referencesOf(objects), { aet: 'SAME', listenPort: null });
    expect(events).toEqual([{ type: 1, transaction, committed: uids(), failed: {}, own: false }]);
  });
  it('is told as soon as it can be, and is visible until then', async () => {
    const { events, transaction } = await ask(referencesOf(objects), { aet: 'LATECOMER', listenPort: null, wait: 1 });
    expect(events).toEqual([]);
    const listed = (state: string) => vna(product, 'commitments', '--state', state, '--json').then((text) => (JSON.parse(text) as { commitments: { transactionUid: string; error: string | null; failed: number }[] }).commitments);
    expect((await listed('open')).find(({ transactionUid }) => transactionUid === transaction)).toMatchObject({ failed: 0, error: 'There is no remote node LATECOMER to tell the result to' });
    const later = await freePort();
    await vna(product, 'node', 'add', 'LATECOMER', '--host', '127.0.0.1', '--port', String(later));
    // Asks for something else: what comes in is the result that is still owed, and its own.
    const second = await ask(referencesOf(objects.slice(0, 1)), { aet: 'LATECOMER', listenPort: later, results: 2, wait: 40 });
    expect(second.events.map((each) => each.transaction).toSorted()).toEqual([transaction, second.transaction].toSorted());
    expect((await listed('told')).some(({ transactionUid }) => transactionUid === transaction)).toBe(true);
  }, 90_000);
});
