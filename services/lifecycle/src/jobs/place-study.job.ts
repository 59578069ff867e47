// Makes the copies of a study what the rules say, again and again until they are: each filed instance has a verified copy in the second tier,
// and a copy that has gone bad is replaced from a good one of another tier. Nothing is overwritten: a replaced copy stands in a new pack.
import { CorruptDataError, UnavailableError } from '@perennia/errors';
import type { PlacePayload, RunningJob } from '@perennia/jobs';
import { LANDING_TIER } from '@perennia/contracts';
import type { ImagingDatabase } from '@perennia/persistence';
import type { StorageTiers } from '@perennia/storage';
import { faultPoint } from '@perennia/fault-points';
import type { Clock, Logger, Metrics } from '@perennia/telemetry';
import type { Quarantine } from '../filing/quarantine.js';
import { copyPack, damagedIn, repack, type PlacedCopy } from '../placement/copy-pack.js';
import { enterCopies } from '../placement/enter-copies.js';

interface CopyRow {
  bucket: number;
  id: string;
  copy_number: number;
  tier: string;
  object_key: string;
  state: string;
}
/** Instances that lack a good copy in a tier and have one in the same pack of another. */
interface Need {
  copyNumber: number;
  target: string;
  source: { tier: string; key: string; copyNumber: number };
  ids: Set<string>;
}

const SECOND_COPY = 2;
const COPIES = `
select c.bucket, c.instance_id as id, c.copy_number, c.tier, c.object_key, c.state
from imaging.instance i join imaging.copy c on c.bucket = i.bucket and c.instance_id = i.id
where i.bucket = $1 and i.study_id = $2 order by c.object_key, c.offset_bytes`;

export interface PlaceStudyParts {
  imaging: ImagingDatabase;
  tiers: StorageTiers;
  quarantine: Quarantine;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
}

export class PlaceStudy {
  private readonly made;

  constructor(private readonly parts: PlaceStudyParts) {
    this.made = parts.metrics.counter('vna_copies_made_total', 'Copies made after filing: of the second tier, or in the place of a bad one', ['tier', 'reason']);
  }

  /** @throws UnavailableError when trying again may succeed */
  async run({ payload: { bucket, studyId }, signal }: Pick<RunningJob<PlacePayload>, 'payload' | 'signal'>): Promise<void> {
    const rows = await this.parts.imaging.query<CopyRow>(COPIES, [bucket, studyId]);
    for (const need of this.needsOf(rows)) {
      signal.throwIfAborted();
      await this.meet(bucket, need, isWholePack(need, rows));
    }
  }

  private needsOf(rows: readonly CopyRow[]): Need[] {
    const needs = new Map<string, Need>();
    const add = (id: string, copyNumber: number, target: string, source: CopyRow): void => {
      const key = `${copyNumber} ${target} ${source.tier} ${source.object_key}`;
      const need = needs.get(key) ?? { copyNumber, target, source: { tier: source.tier, key: source.object_key, copyNumber: source.copy_number }, ids: new Set() };
      need.ids.add(id);
      needs.set(key, need);
    };
    const { second } = this.parts.tiers;
    for (const [id, copies] of Map.groupBy(rows, (row) => row.id)) {
      const good = copies.filter(({ state, tier }) => (state === 'verified' || state === 'written') && tier !== LANDING_TIER);
      for (const bad of copies.filter(({ state, tier }) => state === 'suspect' && tier !== LANDING_TIER)) {
        const source = good.find(({ tier }) => tier !== bad.tier) ?? good[0];
        if (source) add(id, bad.copy_number, bad.tier, source);
        else this.parts.log.error({ receiptId: id, tier: bad.tier }, 'No good copy of an object is left to repair it from; it is kept as it is');
      }
      if (second !== undefined && good.length > 0 && !copies.some(({ copy_number }) => copy_number === SECOND_COPY)) add(id, SECOND_COPY, second, good[0]!);
    }
    return [...needs.values()];
  }

  private async meet(bucket: number, need: Need, isWhole: boolean): Promise<void> {
    const { tiers, imaging, clock } = this.parts;
    const [source, target] = [tiers.storeOf(need.source.tier), tiers.storeOf(need.target)];
    let placed: PlacedCopy[];
    try {
      placed = isWhole ? await copyPack(source, need.source.key, target) : await repack(source, need.source.key, target, need.ids);
    } catch (error) {
      if (!(error instanceof CorruptDataError)) throw error;
      return this.blame(bucket, need, error);
    }
    faultPoint('K15');
    const entered = await enterCopies(imaging, { bucket, tier: need.target, copyNumber: need.copyNumber, copies: placed.filter(({ id }) => need.ids.has(id)), nowMs: clock.nowMs() });
    this.made.inc({ tier: need.target, reason: isWhole ? 'second' : 'repair' }, entered);
  }

  /** The copy differs from what was received: the source is to blame if it does too. What is good in it is copied in the next run. */
  private async blame(bucket: number, { source }: Need, error: CorruptDataError): Promise<never> {
    const damaged = await damagedIn(this.parts.tiers.storeOf(source.tier), source.key);
    await this.parts.quarantine.add(damaged.map((id) => ({ kind: 'instance', bucket, id, copyNumber: source.copyNumber })));
    throw new UnavailableError('A copy was not read back as it should be; it was removed and is made again.', {
      cause: error, remedy: 'Look at the storage of both tiers if this is reported again.', details: { damagedInSource: damaged.length },
    });
  }
}

/** A whole pack keeps its name; a part of one, or one whose name is taken there, is packed anew. */
function isWholePack({ source, target, ids }: Need, rows: readonly CopyRow[]): boolean {
  const ofPack = rows.filter(({ object_key }) => object_key === source.key);
  return ofPack.every(({ tier, id }) => tier !== target && (tier !== source.tier || ids.has(id)));
}
