// Landing areas in a tier that every machine of a cluster reaches. The adapter is loaded only where it is used.
import type { ObjectStore, Landing, PlaceReader } from '@perennia/storage';
import type { Logger } from '@perennia/telemetry';
import { LandingAreas } from './landing-areas.js';

const PREFIX = 'work/landing/';
/** Behind the slash that every key of an area has, before whatever a longer name of an owner goes on with. */
const AFTER_ALL_KEYS = '/~';

export interface ObjectLandingAreasOptions {
  store: ObjectStore;
  maxSegments: number;
  log: Logger;
}

export class ObjectLandingAreas extends LandingAreas {
  readonly shared = true;

  constructor(private readonly options: ObjectLandingAreasOptions) {
    super();
  }

  /** One key of each is looked at: an area may have a hundred thousand. */
  async owners(): Promise<string[]> {
    const owners: string[] = [];
    for (let owner = await this.ownerAfter(); owner !== undefined; owner = await this.ownerAfter(owner)) owners.push(owner);
    return owners.toSorted();
  }

  /** By the order of keys, which is not that of names. */
  private async ownerAfter(owner?: string): Promise<string | undefined> {
    const after = owner === undefined ? undefined : `${PREFIX}${owner}${AFTER_ALL_KEYS}`;
    for await (const { key } of this.options.store.list(PREFIX, after)) return key.slice(PREFIX.length, key.indexOf('/', PREFIX.length));
    return undefined;
  }

  async open(owner: string): Promise<Landing> {
    const { ObjectLanding } = await import('@perennia/landing-object');
    return ObjectLanding.open(this.optionsFor(owner));
  }

  async adopt(owner: string): Promise<Landing> {
    const { ObjectLanding } = await import('@perennia/landing-object');
    return ObjectLanding.adopt(this.optionsFor(owner));
  }

  async reader(): Promise<PlaceReader> {
    const { LandingObjectReader } = await import('@perennia/landing-object');
    return new LandingObjectReader(this.options.store);
  }

  /** Whether the tier answers is told by its own check. */
  trouble(): undefined {
    return undefined;
  }

  private optionsFor(owner: string) {
    const { store, maxSegments, log } = this.options;
    return { store, owner, maxSegments, onUnreferred: (generation: number, err: unknown) => log.warn({ owner, generation, err }, 'A large object waits for the next start to be published') };
  }
}
