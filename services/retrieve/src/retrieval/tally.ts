// Counts the sub-operations of one retrieval and tells of each change (PS3.4 Table C.4-2).
import { statusCategory, type RetrieveOutcome, type SubOperations } from '@perennia/dicom-net';

/** Of the Failed SOP Instance UID List, whose value would not end otherwise. */
const MAX_NAMED_FAILURES = 10_000;

export class Tally {
  private completed = 0;
  private failed = 0;
  private warning = 0;
  private readonly failedUids: string[] = [];
  private news: (() => void) | undefined;
  /** Of the last failure, in plain words. */
  private reason: string | undefined;

  constructor(private readonly total: number) {}

  answered(sopInstanceUid: string, status: number): void {
    const category = statusCategory(status);
    if (category === 'success') this.completed += 1;
    else if (category === 'warning') this.warning += 1;
    else return this.failedFor(sopInstanceUid, `refused with status ${status.toString(16).toUpperCase().padStart(4, '0')}`);
    this.tell();
  }

  failedFor(sopInstanceUid: string, reason: string): void {
    this.failed += 1;
    this.reason = reason;
    if (this.failedUids.length < MAX_NAMED_FAILURES) this.failedUids.push(sopInstanceUid);
    this.tell();
  }

  get progress(): SubOperations {
    const { completed, failed, warning } = this;
    return { completed, failed, warning, remaining: this.total - completed - failed - warning };
  }

  /** Settles at the next change, or when the work is over. */
  changed(work: Promise<void>): Promise<void> {
    return Promise.race([new Promise<void>((resolve) => (this.news = resolve)), work]);
  }

  get outcome(): RetrieveOutcome {
    const comment = this.reason === undefined ? {} : { errorComment: `${this.failed} of ${this.total} failed; the last: ${this.reason}`.slice(0, 64) };
    return { ...this.progress, ...(this.failedUids.length > 0 && { failedSopInstanceUids: this.failedUids }), ...comment };
  }

  private tell(): void {
    this.news?.();
    this.news = undefined;
  }
}
