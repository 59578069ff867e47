// How long what waits is kept from the next PUT, so that groups are as large as what can wait. Who has got an answer sends the next object
// within a millisecond or two: taken at once, groups would be small and large in turns. So there is a moment's patience
//   - when more than one sender was active in the last round, until as many wait as then, or nobody came for `GAP_MS`; at most as long
//     as the last PUT took, and `MOST_MS`;
//   - while all that waits belongs to batches and some of these bring more, up to `BATCH_BYTES` or `BATCH_RECORDS`. Nobody waits for an
//     answer as long as all of them do: then it is for long. Once one has all it brings, the others have a moment to come to their end
//     as well, and those of the last round to begin.
// A lone sender is never kept waiting.
import type { AppendBatch } from '@perennia/storage';

const GAP_MS = 8;
const MOST_MS = 25;
const ALL_OPEN = { mostMs: 1000, gapMs: 100 };
/** Whoever sends so much at once waits for its indexing too, as a rule. */
const SOME_OPEN = { mostMs: 60, gapMs: 20 };
const BATCH_BYTES = 3 * 1024 * 1024;
/** Of large objects: it is better to send some while the others come. */
const LARGE_BATCH_BYTES = 1024 * 1024;
const LARGE_BYTES = 64 * 1024;
/** Each takes a block of memory at least. */
const BATCH_RECORDS = 256;

interface Waiting {
  bytes: number;
  batch: AppendBatch | undefined;
}

export class GroupPatience {
  /** Senders of the last round: of its group, and those who waited at its end. */
  private expected = 1;
  private lastPutMs = 0;
  private wake: (() => void) | undefined;

  /** Told after each PUT: what it took along, and what waits at its end. */
  learn(group: readonly Waiting[], waiting: readonly Waiting[], putMs: number): void {
    this.expected = sendersOf([...group, ...waiting]);
    this.lastPutMs = putMs;
  }

  /** Told of each append. */
  arrived(): void {
    this.wake?.();
  }

  /** Resolves when the group is to be taken. @param waiting what waits, as it is at any moment */
  async forMore(waiting: readonly Waiting[], nowMs: () => number): Promise<void> {
    const startedMs = nowMs();
    let [arrivedMs, count] = [startedMs, waiting.length];
    /** Since when somebody waits for an answer. */
    let answerMs: number | undefined;
    for (;;) {
      if (waiting.length > count) [arrivedMs, count] = [nowMs(), waiting.length];
      const bound = this.boundFor(waiting);
      if (bound !== ALL_OPEN) answerMs ??= nowMs();
      const leftMs = bound ? Math.min((answerMs ?? startedMs) + bound.mostMs, arrivedMs + bound.gapMs) - nowMs() : 0;
      if (leftMs <= 0) return;
      await this.pause(leftMs, waiting);
    }
  }

  private boundFor(waiting: readonly Waiting[]): { mostMs: number; gapMs: number } | undefined {
    const isMore = sendersOf(waiting) < this.expected;
    if (waiting.every(({ batch }) => batch)) {
      const bytes = waiting.reduce((sum, each) => sum + each.bytes, 0);
      if (waiting.length >= BATCH_RECORDS || bytes >= (bytes > waiting.length * LARGE_BYTES ? LARGE_BATCH_BYTES : BATCH_BYTES)) return undefined;
      const open = waiting.filter(({ batch }) => batch!.isOpen).length;
      if (open === waiting.length) return ALL_OPEN;
      return open > 0 || isMore ? SOME_OPEN : undefined;
    }
    return isMore ? { mostMs: Math.min(MOST_MS, this.lastPutMs), gapMs: GAP_MS } : undefined;
  }

  private async pause(mostMs: number, waiting: readonly Waiting[]): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, mostMs));
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
      for (const batch of new Set(waiting.map((each) => each.batch))) if (batch?.isOpen) batch.onPause(() => this.wake?.());
    });
    this.wake = undefined;
  }
}

/** Objects of a batch have one sender. */
function sendersOf(waiting: readonly Waiting[]): number {
  const batches = new Set(waiting.map(({ batch }) => batch));
  return waiting.filter(({ batch }) => !batch).length + [...batches].filter(Boolean).length;
}
