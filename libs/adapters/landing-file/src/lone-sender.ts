// Tells when one sender alone is at work and the device is quick. Then nothing waits for the calling thread, and two trips to another
// thread for each object (write, fdatasync) cost more than they free: the calling thread makes both calls itself. Whoever joins is noticed at
// once, because his record comes in the same turn of the event loop or while another is under way.

/** Single records one after the other until it is believed that nobody else sends. */
const PROOF_RECORDS = 4;
/** Records for which a device that was slow once is not waited for again. */
const SLOW_PENALTY_RECORDS = 16;

export class LoneSender {
  private streak = 0;
  private turn: NodeJS.Immediate | undefined;

  /** @param limitMs how long the calling thread may be held up; 0: never */
  constructor(private readonly limitMs: number) {}

  get isAlone(): boolean {
    return this.limitMs > 0 && this.streak >= PROOF_RECORDS;
  }

  /** A group of records is about to be written. @param isBusy something else waits or is under way */
  begins(records: number, isBusy: boolean): void {
    if (records > 1 || isBusy || this.turn) this.streak = Math.min(0, this.streak);
    else this.streak += 1;
  }

  /** The calling thread has made it durable. */
  ended(durationMs: number): void {
    if (durationMs > this.limitMs) this.streak = -SLOW_PENALTY_RECORDS;
    this.turn ??= setImmediate(() => (this.turn = undefined));
  }
}
