// Stores what it is given over several associations, as fast as the receiver takes it, and counts how it was answered.
import { DicomRequestor, type RequestorAssociation } from '@perennia/dicom-net';
import type { Ledger } from './ledger.js';
import type { SyntheticObject } from './synthetic-object.js';

export interface StoreManyOptions {
  dicomPort: number;
  ledger: Ledger;
  objects: Iterable<SyntheticObject>;
  associations: number;
}
export interface StoreManyResult {
  acknowledged: number;
  /** DIMSE status (hex), or what ended the association, by how often. */
  refused: Record<string, number>;
  /** From sending an object until its answer. */
  latenciesMs: number[];
}

/** The ledger is synced once for so many objects: what is killed here is never this process. */
const LEDGER_BATCH = 100;

export async function storeMany(options: StoreManyOptions): Promise<StoreManyResult> {
  const result: StoreManyResult = { acknowledged: 0, refused: {}, latenciesMs: [] };
  const batches = batchesOf(options.objects);
  await Promise.all(Array.from({ length: options.associations }, (_, index) => storeBatches(`MANY${index}`, options, batches, result)));
  return result;
}

function* batchesOf(objects: Iterable<SyntheticObject>): Generator<SyntheticObject[]> {
  let batch: SyntheticObject[] = [];
  for (const object of objects) {
    batch.push(object);
    if (batch.length < LEDGER_BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function storeBatches(callingAet: string, { dicomPort, ledger }: StoreManyOptions, batches: Iterator<SyntheticObject[]>, result: StoreManyResult): Promise<void> {
  let association: RequestorAssociation | undefined;
  for (let next = batches.next(); !next.done; next = batches.next()) {
    ledger.sending(next.value.map(({ sopInstanceUid, seriesInstanceUid, studyInstanceUid, sha256 }) => ({ sopInstanceUid, seriesInstanceUid, studyInstanceUid, sha256, road: 'dimse' })));
    const answers: Record<'acknowledged' | 'refused', string[]> = { acknowledged: [], refused: [] };
    for (const object of next.value) {
      const startedMs = performance.now();
      try {
        association ??= await connect(dicomPort, callingAet, object);
        const { status } = await association.store(object);
        answers[status === 0 ? 'acknowledged' : 'refused'].push(object.sopInstanceUid);
        if (status !== 0) count(result.refused, status.toString(16));
      } catch (error) {
        // Not answered: it may be there or not.
        association?.abort();
        association = undefined;
        count(result.refused, (error as Error).name);
      }
      result.latenciesMs.push(performance.now() - startedMs);
    }
    for (const state of ['acknowledged', 'refused'] as const) ledger.answered(answers[state], state);
    result.acknowledged += answers.acknowledged.length;
  }
  await association?.release().catch(() => undefined);
}

function connect(port: number, callingAet: string, { sopClassUid, transferSyntaxUid }: SyntheticObject): Promise<RequestorAssociation> {
  const contexts = [{ abstractSyntax: sopClassUid, transferSyntaxes: [transferSyntaxUid] }];
  return DicomRequestor.connect({ host: '127.0.0.1', port, callingAet, calledAet: 'PERENNIA', contexts, responseTimeoutMs: 180_000 });
}
const count = (counts: Record<string, number>, key: string): void => void (counts[key] = (counts[key] ?? 0) + 1);
