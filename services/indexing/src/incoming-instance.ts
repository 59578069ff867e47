// One receipt on its way into the catalogue, with the ids that follow from it.
import { surrogateId, type InstanceReceived } from '@perennia/contracts';
import { incomingReceipt, type IncomingReceipt } from './incoming-receipt.js';

export interface IncomingInstance {
  receipt: IncomingReceipt;
  studyId: string;
  seriesId: string;
  /** Known when the object is in a pack already (rebuild); lower-case hex. */
  objectSha256?: string;
  /** What filing goes on from, when the way of the object is recorded. */
  traceparent?: string;
}

/** Ids are remembered for as long as a batch is prepared: its instances share a few studies and series. */
export class InstanceIds {
  private readonly ids = new Map<string, string>();

  incoming(receipt: IncomingReceipt, objectSha256?: string): IncomingInstance {
    const { tenantId, studyInstanceUid, seriesInstanceUid } = receipt;
    const studyId = this.idOf(tenantId, studyInstanceUid);
    // A Series UID used in two studies gives two series, so the study is part of a series' id.
    const seriesId = this.idOf(tenantId, `${studyInstanceUid}/${seriesInstanceUid}`);
    return objectSha256 === undefined ? { receipt, studyId, seriesId } : { receipt, studyId, seriesId, objectSha256 };
  }

  private idOf(tenantId: string, name: string): string {
    const key = `${tenantId} ${name}`;
    let id = this.ids.get(key);
    if (id === undefined) this.ids.set(key, (id = surrogateId(tenantId, name)));
    return id;
  }
}

export function incomingInstances(received: readonly InstanceReceived[]): IncomingInstance[] {
  const ids = new InstanceIds();
  return received.map((each) => ids.incoming(incomingReceipt(each)));
}

/** What the directory of instances is keyed by. */
export function instanceKey(tenantId: string, sopInstanceUid: string): string {
  return `${sopInstanceUid}\0${tenantId}`;
}
