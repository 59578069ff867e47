// A dataset in memory from its DICOM JSON (PS3.18 Annex F), to be written in a transfer syntax. The inverse of element-json for what has
// no bulk data; numbers of text VRs are written as JSON has them.
import { type DicomJsonDataset, type DicomJsonElement } from '@perennia/contracts';
import { Dataset, type ElementValue } from './dataset.js';
import { type PersonName } from './person-name.js';
import { type Tag } from './tag.js';

/** PS3.5 Table 6.2-1: a DS has 16 characters. */
const MAX_DECIMAL_CHARACTERS = 16;
const PN_GROUPS = ['Alphabetic', 'Ideographic', 'Phonetic'] as const;

/** Keys are eight hex digits. A value offered as BulkDataURI becomes an empty one. */
export function datasetOfJson(json: DicomJsonDataset): Dataset {
  const dataset = new Dataset();
  for (const [key, element] of Object.entries(json)) dataset.set(Number.parseInt(key, 16) as Tag, valueOf(element), element.vr);
  return dataset;
}

function valueOf({ vr, Value: values, InlineBinary }: DicomJsonElement): ElementValue {
  if (InlineBinary !== undefined) return Buffer.from(InlineBinary, 'base64');
  if (values === undefined) return vr === 'SQ' ? [] : '';
  if (vr === 'SQ') return values.map((item) => datasetOfJson((item ?? {}) as DicomJsonDataset));
  if (vr === 'AT') return values.map((value) => Number.parseInt(String(value), 16));
  return values.map((value) => scalarOf(vr, value));
}

function scalarOf(vr: string, value: unknown): string | number | bigint {
  if (value === null || value === undefined) return '';
  if (vr === 'PN') return typeof value === 'string' ? value : personNameText(value as PersonName);
  if (vr === 'SV' || vr === 'UV') return BigInt(value as string | number);
  if (vr === 'DS' && typeof value === 'number') return decimalText(value);
  return typeof value === 'number' || typeof value === 'string' ? value : '';
}

/** The groups as one PN value (PS3.5 §6.2.1), without separators at its end. */
export function personNameText(name: PersonName): string {
  return PN_GROUPS.map((group) => name[group] ?? '').join('=').replace(/=+$/, '');
}

function decimalText(value: number): string {
  for (let digits = 17; digits > 0; digits--) {
    const text = digits === 17 ? String(value) : String(Number(value.toPrecision(digits)));
    if (text.length <= MAX_DECIMAL_CHARACTERS) return text;
  }
  return String(value);
}
