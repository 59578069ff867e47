// The metadata of one instance as DICOM JSON text (PS3.18 §F.2.2: properties ascending; UTF-8, so Specific Character Set says so).
import type { DicomJsonDataset } from '@perennia/contracts';
import { instancePath } from '@perennia/dicom-web';
import { headerToJson, PIXEL_HEADER_BYTES, transferSyntaxOf } from '@perennia/dicom-stream';
import type { ReadInstance } from './read-instance.js';
import type { StoredInstance } from './stored-instance.js';

/** Longer values are named by BulkDataURI. */
const INLINE_LIMIT_BYTES = 1024;
/** Of an object without pixel data at most this much is read; large values at its end are named in it all the same. */
const MAX_HEADER_BYTES = 64 * 1024 * 1024;

/** @param baseUrl of the service, before `/studies/…` in every BulkDataURI */
export async function metadataText(readInstance: ReadInstance, instance: StoredInstance, baseUrl: string): Promise<string> {
  const { datasetOffset, headerLength, objectLength, transferSyntaxUid } = instance;
  const { deflated } = transferSyntaxOf(transferSyntaxUid);
  const wanted = deflated ? objectLength - datasetOffset : Math.min(headerLength + PIXEL_HEADER_BYTES, objectLength) - datasetOffset;
  const header = await readInstance.read(instance, datasetOffset, Math.min(wanted, MAX_HEADER_BYTES));
  const base = baseUrl + instancePath(instance.studyInstanceUid, instance.seriesInstanceUid, instance.sopInstanceUid);
  const dataset = headerToJson(header, transferSyntaxUid, {
    bulkDataUri: (tagPath) => `${base}/bulkdata/${tagPath}`,
    inlineLimitBytes: INLINE_LIMIT_BYTES,
  });
  if (dataset['00080005']) dataset['00080005'] = { vr: 'CS', Value: ['ISO_IR 192'] };
  return datasetText(dataset);
}

function datasetText(dataset: DicomJsonDataset): string {
  return isAscending(dataset) ? JSON.stringify(dataset) : sortedText(dataset);
}

/** JavaScript lists keys that look like array indexes first, and a tag like 60003000 does; and some files are not in order. */
function isAscending(dataset: DicomJsonDataset): boolean {
  let before = '';
  for (const tag in dataset) {
    if (tag < before) return false;
    before = tag;
    const { vr, Value: items } = dataset[tag]!;
    if (vr === 'SQ' && items && !(items as DicomJsonDataset[]).every(isAscending)) return false;
  }
  return true;
}

function sortedText(dataset: DicomJsonDataset): string {
  const elements = Object.keys(dataset).toSorted().map((tag) => {
    const element = dataset[tag]!;
    if (element.vr !== 'SQ' || !element.Value) return `"${tag}":${JSON.stringify(element)}`;
    return `"${tag}":{"vr":"SQ","Value":[${(element.Value as DicomJsonDataset[]).map(sortedText).join(',')}]}`;
  });
  return `{${elements.join(',')}}`;
}
