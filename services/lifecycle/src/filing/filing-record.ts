// What is to be filed: objects in the landing area, each with the receipt that goes into the index of its pack.
import type { Place } from '@perennia/contracts';
import type { PackedReceipt } from '@perennia/storage';

export interface FilingRecord {
  kind: 'instance' | 'conflict';
  /** Key of the row: bucket and id of the instance or of the duplicate. */
  bucket: number;
  id: string;
  receipt: PackedReceipt;
  place: Place;
  /** Of the span that indexed it, when its way is recorded. */
  traceparent?: string;
}

/** A study with objects that are to be filed. */
export interface FilingStudy {
  tenantId: string;
  bucket: number;
  studyInstanceUid: string;
  /** null: the archive has only objects that contradict instances of other studies. */
  row: { id: string; version: number } | null;
  /** In the order of the pack. */
  records: FilingRecord[];
  /** Whether these are all that there is to file now. */
  complete: boolean;
}

/** Where a record has been filed. */
export interface FiledRecord {
  record: FilingRecord;
  tier: string;
  packKey: string;
  offset: number;
  objectSha256: string;
}
