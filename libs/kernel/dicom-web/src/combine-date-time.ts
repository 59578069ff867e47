// Combined date and time matching: a date range and a time range of one pair mean one span of time (PS3.4 §C.2.2.2.5.4,
// required of QIDO-RS by PS3.18 §8.3.4.1).
import type { CombinedCondition, Condition } from './condition.js';

/** Date and time attributes that belong together. */
const PAIRS: readonly (readonly [date: string, time: string])[] = [
  ['00080020', '00080030'],
  ['00080021', '00080031'],
  ['00080022', '00080032'],
  ['00080023', '00080033'],
  ['00400244', '00400245'],
];

/** Replaces pairs of ranges; a single date or single time in the pair leaves both as they are. */
export function combineDateTime(conditions: readonly Condition[]): { conditions: Condition[]; combined: CombinedCondition[] } {
  const rest = new Set(conditions);
  const combined: CombinedCondition[] = [];
  const find = (tag: string): Condition | undefined => conditions.find(({ path }) => path.length === 1 && path[0] === tag);
  for (const [dateTag, timeTag] of PAIRS) {
    const [date, time] = [find(dateTag), find(timeTag)];
    if (date?.match.kind !== 'range' || time?.match.kind !== 'range') continue;
    // A time end without a date end bounds nothing that both would agree on.
    if ((time.match.from && !date.match.from) || (time.match.to && !date.match.to)) continue;
    rest.delete(date);
    rest.delete(time);
    combined.push({
      datePath: date.path,
      timePath: time.path,
      ...(date.match.from ? { from: date.match.from + (time.match.from ?? '000000.000000') } : {}),
      ...(date.match.to ? { to: date.match.to + (time.match.to ?? '235959.999999') } : {}),
    });
  }
  return { conditions: [...rest], combined };
}
