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
    for (let after: string | undefined; ; after = `${PREFIX}${owners.at(-1)}${AFTER_ALL_KEYS}`) {
      const { value } = await this.options.store.list(PREFIX, after)[Symbol.asyncIterator]().next();
      if (!value) return owners.toSorted();
      owners.push(value.key.slice(PREFIX.length, value.key.indexOf('/', PREFIX.length)));
    }
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
