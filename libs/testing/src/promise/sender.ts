// Keeps storing over C-STORE and STOW-RS whatever happens to the receiver, and writes down what was promised to it.
import { createHash } from 'node:crypto';
import { DicomRequestor, type RequestorAssociation } from '@perennia/dicom-net';
import { part10Prefix } from '@perennia/dicom-stream';
import type { Ledger } from './ledger.js';
import { SeededRandom } from './seeded-random.js';
import { syntheticObject, type SyntheticObject } from './synthetic-object.js';

export interface SenderOptions {
  host?: string;
  dicomPort: number;
  web: string;
  ledger: Ledger;
  /** Root of the UIDs of this run. */
  root: string;
  associations?: number;
  stowConnections?: number;
  seed: number;
  /** Every n-th object is this large instead of 1 to 120 KB; 0 for none. */
  largeEvery?: number;
  largeBytes?: number;
  /** Between two objects of an association; default none. */
  pauseMs?: number;
}

const INSTANCES_PER_STUDY = 40;

export class PromiseSender {
  private stopped = false;
  private running: Promise<void>[] = [];
  private study = 0;
  private readonly random: SeededRandom;
  failures = 0;

  constructor(private readonly options: SenderOptions) {
    this.random = new SeededRandom(options.seed);
  }

  start(): void {
    const { associations = 3, stowConnections = 1 } = this.options;
    this.stopped = false;
    this.running = [
      ...Array.from({ length: associations }, (_, index) => this.storeForEver(`SENDER${index}`)),
      ...Array.from({ length: stowConnections }, () => this.stowForEver()),
    ];
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }

  private *objects(): Generator<SyntheticObject> {
    const study = ++this.study;
    const { largeEvery = 0, largeBytes = 10 * 1024 * 1024 } = this.options;
    for (let instance = 1; instance <= INSTANCES_PER_STUDY; instance++) {
      const large = largeEvery > 0 && this.random.next(largeEvery) === 0;
      const pixelBytes = large ? largeBytes : 1024 + this.random.next(120 * 1024);
      yield syntheticObject({ root: this.options.root, study, series: 1 + (instance % 2), instance, pixelBytes });
    }
  }

  private async storeForEver(callingAet: string): Promise<void> {
    const open: { association?: RequestorAssociation } = {};
    while (!this.stopped) {
      for (const object of this.objects()) {
        if (this.stopped) break;
        await this.storeUntilAnswered(open, callingAet, object);
        if (this.options.pauseMs) await pause(this.options.pauseMs);
      }
    }
    await open.association?.release().catch(() => undefined);
  }

  /** The same object again after a failure: the receiver may hold it already, and must not hold it twice. */
  private async storeUntilAnswered(open: { association?: RequestorAssociation }, callingAet: string, object: SyntheticObject): Promise<void> {
    for (let attempt = 0; attempt < 200 && !this.stopped; attempt++) {
      try {
        open.association ??= await this.connect(callingAet, object);
        if (await this.storeOnce(open.association, object)) return;
      } catch {
        this.failures += 1;
        open.association?.abort();
        delete open.association;
        await pause(20);
      }
    }
  }

  private connect(callingAet: string, object: SyntheticObject): Promise<RequestorAssociation> {
    return DicomRequestor.connect({
      host: this.options.host ?? '127.0.0.1',
      port: this.options.dicomPort,
      callingAet,
      calledAet: 'PERENNIA',
      contexts: [{ abstractSyntax: object.sopClassUid, transferSyntaxes: [object.transferSyntaxUid] }],
      associateTimeoutMs: 3000,
      responseTimeoutMs: 15_000,
    });
  }

  private async storeOnce(association: RequestorAssociation, object: SyntheticObject): Promise<boolean> {
    const { ledger } = this.options;
    ledger.sending([entryOf(object, 'dimse')]);
    const { status } = await association.store(object);
    const acknowledged = status === 0 || status >> 12 === 0xb;
    ledger.answered([object.sopInstanceUid], acknowledged ? 'acknowledged' : 'refused');
    if (!acknowledged) await pause(50);
    return acknowledged;
  }

  private async stowForEver(): Promise<void> {
    while (!this.stopped) {
      const objects = [...this.objects()].slice(0, 8);
      for (let attempt = 0; attempt < 200 && !this.stopped; attempt++) {
        try {
          this.options.ledger.sending(objects.map((object) => entryOf(object, 'stow')));
          const stored = await stow(this.options.web, objects);
          this.options.ledger.answered(stored, 'acknowledged');
          if (stored.length === objects.length) break;
        } catch {
          this.failures += 1;
        }
        await pause(20);
      }
    }
  }
}

/** STOW-RS of Part 10 objects. @returns the SOP Instance UIDs the answer lists as stored */
export async function stow(web: string, objects: readonly SyntheticObject[], headers: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const boundary = `perennia-${createHash('sha256').update(objects[0]!.sopInstanceUid).digest('hex').slice(0, 16)}`;
  const parts = objects.flatMap((object) => [
    Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
    part10Prefix({ sopClassUid: object.sopClassUid, sopInstanceUid: object.sopInstanceUid, transferSyntaxUid: object.transferSyntaxUid }),
    object.dataset,
    Buffer.from('\r\n'),
  ]);
  const response = await fetch(`${web}/studies`, {
    method: 'POST',
    headers: { 'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}`, accept: 'application/dicom+json', ...headers },
    body: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
    signal: AbortSignal.timeout(20_000),
  });
  const answer = (await response.json()) as Record<string, { Value?: Record<string, { Value?: string[] }>[] }>;
  return (answer['00081199']?.Value ?? []).map((item) => item['00081155']!.Value![0]!);
}

function entryOf(object: SyntheticObject, road: 'dimse' | 'stow') {
  const { sopInstanceUid, seriesInstanceUid, studyInstanceUid, sha256 } = object;
  return { sopInstanceUid, seriesInstanceUid, studyInstanceUid, sha256, road };
}
function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
