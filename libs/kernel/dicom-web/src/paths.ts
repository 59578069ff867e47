// The resource paths of Studies (PS3.18 §10.1.1), relative to the service root. UIDs hold digits and dots only, so that
// nothing needs escaping.

export function studyPath(studyUid: string): string {
  return `/studies/${studyUid}`;
}
export function seriesPath(studyUid: string, seriesUid: string): string {
  return `${studyPath(studyUid)}/series/${seriesUid}`;
}
export function instancePath(studyUid: string, seriesUid: string, sopInstanceUid: string): string {
  return `${seriesPath(studyUid, seriesUid)}/instances/${sopInstanceUid}`;
}

/**
 * Where the value of a bulk data element is: `{instance}/bulkdata/{tag}`, for nested elements
 * `{instance}/bulkdata/{tag}/{item from 1}/{tag}…`.
 */
export function bulkDataPath(instance: string, elements: readonly string[]): string {
  return `${instance}/bulkdata/${elements.join('/')}`;
}

const TAG = /^[0-9A-Fa-f]{8}$/;
const ITEM = /^[1-9]\d{0,6}$/;

/** Reads what follows `bulkdata/`; null when it is no such path. Tags in upper case. */
export function parseBulkDataElements(text: string): string[] | null {
  const elements = text.split('/');
  const valid = elements.length % 2 === 1 && elements.every((element, index) => (index % 2 === 0 ? TAG : ITEM).test(element));
  return valid ? elements.map((element) => element.toUpperCase()) : null;
}
