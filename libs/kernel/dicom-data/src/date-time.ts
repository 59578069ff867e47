// Dates and times of DICOM (PS3.5 §6.2, DA and TM) in the one form in which they are stored for searching and compared.

/** `YYYYMMDD`; also reads the `YYYY.MM.DD` of ACR-NEMA and `YYYY-MM-DD`. Null when it is no date of the calendar. */
export function parseDa(text: string): string | null {
  const found = DATE.exec(text);
  if (found === null) return null;
  const [, year, , month, day] = found as unknown as [string, string, string, string, string];
  const m = Number(month);
  const d = Number(day);
  if (m < 1 || m > 12 || d < 1 || d > daysOf(Number(year), m)) return null;
  return year + month + day;
}
const DATE = /^\s*(\d{4})([.-]?)(\d{2})\2(\d{2})[\s\0]*$/;

function daysOf(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/**
 * `HHMMSS.FFFFFF`, missing parts filled with zeros; also reads the `HH:MM:SS.F` of ACR-NEMA. Null when it is no time of day.
 * Second 60 is a leap second (PS3.5 §6.2).
 */
export function parseTm(text: string): string | null {
  const found = TIME.exec(text);
  if (found === null) return null;
  const hour = found[1]!;
  const minute = found[2] ?? found[5] ?? '00';
  const second = found[3] ?? found[6] ?? '00';
  const fraction = found[4] ?? found[7] ?? '';
  if (hour > '23' || minute > '59' || second > '60') return null;
  return `${hour}${minute}${second}.${fraction.padEnd(6, '0')}`;
}
const TIME = /^\s*(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?|:(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?)?[\s\0]*$/;
