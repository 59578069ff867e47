// A retrieval as its peer sees it: the work goes on by itself, and each change of the counts is told.
import { setTimeout as sleep } from 'node:timers/promises';
import type { RetrieveOutcome, SubOperations } from '@perennia/dicom-net';
import type { Tally } from './tally.js';

/** A peer that waits for a large object is told the same again, and so does not give up. */
const AGAIN_MS = 1000;

/** @param work settles when nothing more will be counted; what it rejects with ends the retrieval */
export async function* follow(tally: Tally, work: Promise<unknown>): AsyncGenerator<SubOperations, RetrieveOutcome> {
  let isOver = false;
  const ended = work.then(() => void (isOver = true), () => void (isOver = true));
  yield tally.progress;
  while (!isOver) {
    const again = new AbortController();
    await Promise.race([tally.changed(ended), sleep(AGAIN_MS, undefined, { signal: again.signal, ref: false }).catch(() => undefined)]);
    again.abort();
    yield tally.progress;
  }
  await work;
  return tally.outcome;
}
