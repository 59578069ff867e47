// Objects of several shapes on their way into an archive, by its own roads, and what was promised for each.
import { DicomRequestor, type StoreOperation } from '@perennia/dicom-net';
import { LargeObject, PromiseChecker, stow, syntheticObject, type LedgerEntry, type Product, type SyntheticObject } from '@perennia/testing';

const EIGHT_MIB = 8 * 2 ** 20;

export class StoredObjects {
  readonly #entries: LedgerEntry[] = [];
  readonly #root = `1.2.826.0.1.3680043.10.21.${Date.now()}.${Math.floor(Math.random() * 1e6)}`;
  #study = 0;

  /** The same account, to be kept on for a copy of the archive. */
  copy(): StoredObjects {
    const copy = new StoredObjects();
    copy.#entries.push(...this.#entries);
    return copy;
  }

  get count(): number {
    return this.#entries.length;
  }

  /** A study by each road, one of them with an equal object sent twice and another one under the same UIDs. */
  async sendSmall(product: Product): Promise<void> {
    const byStow = this.#objects(12, 20_000);
    expectAll(await stow(product.web, byStow), byStow);
    this.#note(byStow, 'stow');
    const byStore = this.#objects(8, 120_000);
    await this.#store(product, byStore.map((object) => ({ ...object })));
    this.#note(byStore, 'dimse');
    await this.#store(product, [byStow[0]!]);
    const study = Number(byStow[0]!.studyInstanceUid.split('.').at(-1));
    await stow(product.web, [syntheticObject({ root: this.#root, study, series: 1, instance: 1, pixelBytes: 20_000, flavour: 7 })]);
  }

  /** Larger than what is gathered in memory: it streams into a segment of its own. */
  async sendLarge(product: Product): Promise<void> {
    const study = `${this.#root}.${++this.#study}`;
    const large = new LargeObject({
      studyInstanceUid: study, seriesInstanceUid: `${study}.1`, sopInstanceUid: `${study}.1.1`, offsetTable: 'extended',
      frames: 20, frameBytes: EIGHT_MIB / 16, transferSyntaxUid: '1.2.840.10008.1.2.1.98',
    });
    const { sopClassUid, sopInstanceUid, transferSyntaxUid } = large;
    await this.#store(product, [{ sopClassUid, sopInstanceUid, transferSyntaxUid, dataset: large.dataset() }]);
    this.#entries.push({ sopInstanceUid, studyInstanceUid: study, seriesInstanceUid: `${study}.1`, sha256: await large.datasetSha256(), road: 'dimse', state: 'acknowledged' });
  }

  /** Sets of what was promised and what is served are compared. @returns sentences; none is the only good answer */
  async violations(product: Product): Promise<string[]> {
    return (await new PromiseChecker(product.web).check(this.#entries)).violations;
  }

  #objects(instances: number, pixelBytes: number): SyntheticObject[] {
    const study = ++this.#study;
    return Array.from({ length: instances }, (_, n) => syntheticObject({ root: this.#root, study, series: 1 + (n % 2), instance: n + 1, pixelBytes }));
  }

  #note(objects: readonly SyntheticObject[], road: LedgerEntry['road']): void {
    for (const { sopInstanceUid, seriesInstanceUid, studyInstanceUid, sha256 } of objects) {
      this.#entries.push({ sopInstanceUid, seriesInstanceUid, studyInstanceUid, sha256, road, state: 'acknowledged' });
    }
  }

  async #store(product: Product, objects: readonly StoreOperation[]): Promise<void> {
    const [{ sopClassUid, transferSyntaxUid }] = objects as [StoreOperation];
    const association = await DicomRequestor.connect({
      host: '127.0.0.1', port: product.dicomPort, callingAet: 'UPGRADE', calledAet: 'PERENNIA', responseTimeoutMs: 60_000,
      contexts: [{ abstractSyntax: sopClassUid, transferSyntaxes: [transferSyntaxUid] }],
    });
    for (const object of objects) {
      const { status } = await association.store(object);
      if (status !== 0) throw new Error(`C-STORE was answered with status ${status.toString(16)}`);
    }
    await association.release();
  }
}

function expectAll(stored: readonly string[], sent: readonly SyntheticObject[]): void {
  if (stored.length !== sent.length) throw new Error(`${stored.length} of ${sent.length} objects were stored by STOW-RS`);
}
