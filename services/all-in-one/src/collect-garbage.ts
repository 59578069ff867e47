// What a process leaves behind while it starts (modules, their sources, what a warm-up made) V8 collects when it needs room, which in
// a process without work is never.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** One full collection. Stops the process for as long as it takes, some 30 ms after a start: not for one that has work. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
