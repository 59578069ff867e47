// "The first value wins, what was empty is filled in": how the instances of one batch agree on the values of their study and series.
import type { DicomJsonDataset, DicomJsonElement } from '@perennia/contracts';

/** Gives `kept` the values of `other` where it has none. */
export function fillEmpty<T extends object>(kept: T, other: Readonly<T>): void {
  for (const name in other) if (kept[name] === null && other[name] !== null) kept[name] = other[name];
}

/** The same for DICOM JSON, where an element may be there without a value. */
export function fillEmptyElements(kept: DicomJsonDataset, other: Readonly<DicomJsonDataset>): void {
  for (const tag in other) {
    const own = kept[tag];
    if (own === undefined || (!hasValue(own) && hasValue(other[tag]!))) kept[tag] = other[tag]!;
  }
}

function hasValue(element: DicomJsonElement): boolean {
  return element.Value !== undefined || element.InlineBinary !== undefined || element.BulkDataURI !== undefined;
}
