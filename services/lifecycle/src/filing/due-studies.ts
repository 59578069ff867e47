// Hands out studies to the filers: those that have been quiet for long enough, the longest first, small ones in groups so that many share
// a transaction. The rows of open studies are the queue, so a study can be forgotten by nobody; one that failed waits a little.
import type { ImagingDatabase } from '@perennia/persistence';
import type { Clock } from '@perennia/telemetry';
import type { StudyKey } from './load-studies.js';

interface OpenStudy extends StudyKey {
  number_of_instances: number;
  total_bytes: number;
}

const MAX_DUE = 1000;
const GROUP_STUDIES = 64;
const GROUP_INSTANCES = 2000;
const GROUP_BYTES = 256 * 1024 * 1024;
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 300_000;

const DUE = `
select bucket, id, number_of_instances, total_bytes from imaging.study
where state = 'open' and last_received_at <= $1 order by last_received_at, id limit ${MAX_DUE}`;

export class DueStudies {
  private queue: OpenStudy[] = [];
  private readonly taken = new Set<string>();
  private readonly failures = new Map<string, { count: number; notBeforeMs: number }>();
  /** Studies to be filed alone, because a group with them failed. */
  private readonly alone = new Set<string>();

  constructor(
    private readonly imaging: ImagingDatabase,
    private readonly clock: Clock,
  ) {}

  /** Looks for studies that have been quiet for `settleMs`. */
  async refill(settleMs: number): Promise<void> {
    if (this.queue.length > 0) return;
    const nowMs = this.clock.nowMs();
    const due = await this.imaging.query<OpenStudy>(DUE, [new Date(nowMs - settleMs).toISOString()]);
    this.queue = due.filter(({ id }) => !this.taken.has(id) && (this.failures.get(id)?.notBeforeMs ?? 0) <= nowMs);
  }

  /** @returns [] when nothing is due; what is taken must be given back by `done` or `failed` */
  take(): StudyKey[] {
    const group: OpenStudy[] = [];
    let instances = 0;
    let bytes = 0;
    for (let study = this.queue[0]; study; study = this.queue[0]) {
      const fits = instances + study.number_of_instances <= GROUP_INSTANCES && bytes + study.total_bytes <= GROUP_BYTES && group.length < GROUP_STUDIES;
      if (group.length > 0 && (!fits || this.alone.has(study.id))) break;
      group.push(study);
      this.queue.shift();
      this.taken.add(study.id);
      instances += study.number_of_instances;
      bytes += study.total_bytes;
      if (this.alone.has(study.id)) break;
    }
    return group;
  }

  done(group: readonly StudyKey[]): void {
    for (const { id } of group) {
      this.taken.delete(id);
      this.failures.delete(id);
      this.alone.delete(id);
    }
  }

  failed(group: readonly StudyKey[]): void {
    for (const { id } of group) {
      this.taken.delete(id);
      if (group.length > 1) {
        this.alone.add(id);
        continue;
      }
      const count = (this.failures.get(id)?.count ?? 0) + 1;
      this.failures.set(id, { count, notBeforeMs: this.clock.nowMs() + Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (count - 1)) });
    }
  }
}
