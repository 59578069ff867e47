// Names of instances within a ZIP: `{Study Instance UID}/series-001/00001-{SOP Instance UID}.dcm`, numbered in the order of series and instance numbers.
// Of digits, dots and fixed letters: nothing of a patient, and nothing that a file system minds.
import type { StoredInstance, StoredSeries } from '@perennia/egress';

/**
 * Names by the instances' ids.
 * @param series in their order
 * @param listed instances, those of a series in their order
 */
export function zipNames(series: readonly StoredSeries[], listed: readonly StoredInstance[]): Map<string, string> {
  const places = new Map(series.map(({ seriesInstanceUid }, index) => [seriesInstanceUid, { number: index + 1, instances: 0 }]));
  return new Map(listed.map(({ id, studyInstanceUid, seriesInstanceUid, sopInstanceUid }) => {
    const place = places.get(seriesInstanceUid) ?? { number: 0, instances: 0 };
    places.set(seriesInstanceUid, place);
    const number = ++place.instances;
    return [id, `${safe(studyInstanceUid)}/series-${padded(place.number, 3)}/${padded(number, 5)}-${safe(sopInstanceUid)}.dcm`];
  }));
}

/** UIDs are of digits and dots; whatever was received as one, this is. */
const safe = (uid: string): string => uid.replace(/[^0-9.]|\.(?=\.)/g, '_');
const padded = (number: number, digits: number): string => String(number).padStart(digits, '0');
