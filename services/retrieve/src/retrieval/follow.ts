// A retrieval as its peer sees it: the work goes on by itself, and each change of the counts is told.
import type { RetrieveOutcome, SubOperations } from '@perennia/dicom-net';
import type { Tally } from './tally.js';

/** @param work settles when nothing more will be counted; what it rejects with ends the retrieval */
export async function* follow(tally: Tally, work: Promise<unknown>): AsyncGenerator<SubOperations, RetrieveOutcome> {
  let isOver = false;
  const ended = work.then(() => void (isOver = true), () => void (isOver = true));
  yield tally.progress;
  while (!isOver) {
    await tally.changed(ended);
    yield tally.progress;
  }
  await work;
  return tally.outcome;
}
