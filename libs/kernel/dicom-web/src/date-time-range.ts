// Values of DA, TM and DT in search keys (PS3.4 §C.2.2.2.5, PS3.5 Table 6.2-1) as ranges of comparable text.
// A time of less precision means all of its minute or hour.
import { parseDa, parseTm } from '@perennia/dicom-data';
import type { Match } from './condition.js';

interface Ends {
  from: string;
  to: string;
}
type ReadEnds = (text: string) => Ends | null;

const DATE_TIME = /^(\d{4})(?:(0[1-9]|1[0-2])(?:(0[1-9]|[12]\d|3[01])(\d{2,6}(?:\.\d{1,6})?)?)?)?([+-]\d{4})?$/;

const readDate: ReadEnds = (text) => {
  const date = parseDa(text);
  return date === null ? null : { from: date, to: date };
};

const readTime: ReadEnds = (text) => {
  const from = parseTm(text);
  if (from === null) return null;
  const known = text.replaceAll(':', '');
  return { from, to: known.includes('.') ? from : known + '235959.999999'.slice(known.length) };
};

const readDateTime: ReadEnds = (text) => {
  const match = DATE_TIME.exec(text);
  if (!match) return null;
  const [, year, month, day, time] = match;
  const ends = time === undefined ? { from: '000000.000000', to: '235959.999999' } : readTime(time);
  if (!ends) return null;
  return { from: `${year}${month ?? '01'}${day ?? '01'}${ends.from}`, to: `${year}${month ?? '12'}${day ?? '31'}${ends.to}` };
};

const READERS: Readonly<Record<string, ReadEnds>> = { DA: readDate, TM: readTime, DT: readDateTime };

/** @returns null when the text is neither a value of the VR nor a range of two */
export function parseDateTimeMatch(vr: 'DA' | 'TM' | 'DT', text: string): Match | null {
  const read = READERS[vr]!;
  const single = read(text);
  if (single) return single.from === single.to && vr === 'DA' ? { kind: 'values', values: [single.from], wildcards: false } : { kind: 'range', ...single };
  // A hyphen may also be the sign of a time zone, so each is tried.
  for (let hyphen = text.indexOf('-'); hyphen >= 0; hyphen = text.indexOf('-', hyphen + 1)) {
    const [left, right] = [text.slice(0, hyphen).trim(), text.slice(hyphen + 1).trim()];
    const [first, last] = [left === '' ? null : read(left), right === '' ? null : read(right)];
    const readable = (left === '' || first) && (right === '' || last);
    if (!readable || (!first && !last)) continue;
    return { kind: 'range', ...(first ? { from: first.from } : {}), ...(last ? { to: last.to } : {}) };
  }
  return null;
}
