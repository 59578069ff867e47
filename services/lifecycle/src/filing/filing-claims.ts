// Which studies this process files: others leave them alone as long as it lives. A claim that is lost costs work done twice, nothing else:
// the commit decides which pack counts.
import { randomUUID } from 'node:crypto';
import type { ImagingDatabase } from '@perennia/persistence';
import type { Clock } from '@perennia/telemetry';
import type { StudyKey } from './load-studies.js';

/** A process that has not been heard of for so long files nothing any more. */
const VALID = `interval '8 seconds'`;
const HEARTBEAT_MS = 2000;

const CLAIM = `
insert into imaging.filing_claim as claim (study_id, owner, until)
select id, $1, now() + ${VALID} from unnest($2::uuid[]) as wanted (id) order by id
on conflict (study_id) do update set owner = excluded.owner, until = excluded.until where claim.owner = excluded.owner or claim.until < now()
returning study_id`;

export class FilingClaims {
  private readonly owner = randomUUID();
  private readonly held = new Set<string>();
  /** While anything is held. */
  private beating: AbortController | undefined;

  constructor(
    private readonly imaging: ImagingDatabase,
    private readonly clock: Clock,
  ) {}

  /** @returns those that are this process's now; to be given back by `release` */
  async claim(studies: readonly StudyKey[]): Promise<StudyKey[]> {
    const rows = await this.imaging.prepared<{ study_id: string }>(CLAIM, [this.owner, studies.map(({ id }) => id)]);
    const claimed = new Set(rows.map(({ study_id }) => study_id));
    for (const id of claimed) this.held.add(id);
    if (claimed.size > 0) this.beating ??= this.beat();
    return studies.filter(({ id }) => claimed.has(id));
  }

  async release(studies: readonly StudyKey[]): Promise<void> {
    for (const { id } of studies) this.held.delete(id);
    if (this.held.size === 0) this.close();
    await this.imaging.prepared('delete from imaging.filing_claim where owner = $1 and study_id = any($2)', [this.owner, studies.map(({ id }) => id)]);
  }

  /** What is still held is free for others a little later. */
  close(): void {
    this.beating?.abort();
    this.beating = undefined;
  }

  private beat(): AbortController {
    const ending = new AbortController();
    void (async () => {
      for (;;) {
        await this.clock.sleep(HEARTBEAT_MS, ending.signal);
        if (ending.signal.aborted) return;
        // What cannot be said now is said the next time; a database that is away cannot be filed into either.
        await this.imaging.prepared(`update imaging.filing_claim set until = now() + ${VALID} where owner = $1`, [this.owner]).catch(() => undefined);
      }
    })();
    return ending;
  }
}
