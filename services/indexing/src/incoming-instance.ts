// One receipt on its way into the catalogue, with the ids that follow from it.
import { surrogateId, type InstanceReceived } from '@perennia/contracts';

export interface IncomingInstance {
  receipt: InstanceReceived;
  studyId: string;
  seriesId: string;
  /** Known when the object is in a pack already (rebuild); lower-case hex. */
  objectSha256?: string;
}

/** A Series UID used in two studies gives two series, so the study is part of a series' id. */
export function incomingInstance(receipt: InstanceReceived, objectSha256?: string): IncomingInstance {
  const studyId = surrogateId(receipt.tenantId, receipt.studyInstanceUid);
  const seriesId = surrogateId(receipt.tenantId, `${receipt.studyInstanceUid}/${receipt.seriesInstanceUid}`);
  return objectSha256 === undefined ? { receipt, studyId, seriesId } : { receipt, studyId, seriesId, objectSha256 };
}

/** What the directory of instances is keyed by. */
export function instanceKey(tenantId: string, sopInstanceUid: string): string {
  return `${sopInstanceUid}\0${tenantId}`;
}
