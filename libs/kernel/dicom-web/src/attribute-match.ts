// The value of one search key as a match, by its value representation (PS3.4 §C.2.2.2).
import { DicomWebError } from './dicom-web-error.js';
import type { Match } from './condition.js';
import { parseDateTimeMatch } from './date-time-range.js';

const WITH_WILDCARDS = new Set(['AE', 'CS', 'LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UR', 'UT']);
const SINGLE_TEXT = new Set(['LT', 'ST', 'UT', 'UR']);
const INTEGERS = new Set(['IS', 'US', 'UL', 'SS', 'SL', 'SV', 'UV']);
const MAX_WILDCARDS = 16;
const MAX_VALUES = 2000;
const UID = /^[0-9.]{1,64}$/;

/** @param name as the asker wrote it, for messages; @throws DicomWebError when the value cannot be one of the VR */
export function parseAttributeMatch(name: string, vr: string, text: string): Match {
  const trimmed = text.trim();
  if (trimmed === '' || (WITH_WILDCARDS.has(vr) && /^\*+$/.test(trimmed))) return { kind: 'universal' };
  if (vr === 'SQ') throw new DicomWebError('syntax', `${name} is a sequence: name an attribute inside it as ${name}.attribute`);
  if (vr === 'DA' || vr === 'TM' || vr === 'DT') {
    const match = parseDateTimeMatch(vr, trimmed);
    if (!match) throw new DicomWebError('syntax', `The value of ${name} is no ${vr} value or range`);
    return match;
  }
  const values = splitValues(vr, trimmed);
  if (values.length === 0) return { kind: 'universal' };
  if (values.length > MAX_VALUES) throw new DicomWebError('limit', `${name} lists more than ${MAX_VALUES} values`);
  if (vr === 'UI' && !values.every((value) => UID.test(value))) throw new DicomWebError('syntax', `${name} must be a list of UIDs`);
  if (INTEGERS.has(vr) && !values.every((value) => /^[+-]?\d{1,12}$/.test(value))) {
    throw new DicomWebError('syntax', `${name} must be a whole number`);
  }
  const wildcards = WITH_WILDCARDS.has(vr) && values.some((value) => /[*?]/.test(value));
  return { kind: 'values', values: wildcards ? values.map((value) => tamed(name, value)) : values, wildcards };
}

function splitValues(vr: string, text: string): string[] {
  if (SINGLE_TEXT.has(vr)) return [text];
  const separator = vr === 'UI' || vr === 'CS' || INTEGERS.has(vr) ? /[\\,]/ : /\\/;
  return text.split(separator).map((value) => value.trim()).filter((value) => value !== '');
}

/** Runs of `*` mean the same as one; many of them cost quadratic time and find nothing that anyone looks for. */
function tamed(name: string, value: string): string {
  const collapsed = value.replace(/\*{2,}/g, '*');
  if ((collapsed.match(/\*/g) ?? []).length > MAX_WILDCARDS) throw new DicomWebError('limit', `${name} has more than ${MAX_WILDCARDS} wildcards`);
  return collapsed;
}
