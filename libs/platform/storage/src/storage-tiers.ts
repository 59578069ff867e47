// The tiers of an installation: which store each is, and which of them does what for a tenant.
import { ConfigurationError, NotFoundError } from '@perennia/errors';
import type { ObjectStore } from './object-store.js';

export interface TierRules {
  hot: string;
  tenantHot: Readonly<Record<string, string>>;
  /** Receives a verified copy of each filed study. */
  second?: string | undefined;
  /** A copy whose bytes were compared with their digest so recently is given out without comparing them again; milliseconds. Default a day. */
  trust?: number;
}

const DAY_MS = 86_400_000;

export class StorageTiers {
  /** @param stores by name of tier, those that are read at the least cost first. @throws ConfigurationError when a rule names another */
  constructor(
    readonly stores: ReadonlyMap<string, ObjectStore>,
    private readonly rules: TierRules,
  ) {
    const hot = [rules.hot, ...Object.values(rules.tenantHot)];
    for (const name of [...hot, ...(rules.second === undefined ? [] : [rules.second])]) {
      if (!stores.has(name)) throw new ConfigurationError(`There is no storage tier named ${name}.`, { remedy: `storage.tiers has ${[...stores.keys()].join(', ')}.` });
    }
    if (rules.second !== undefined && hot.includes(rules.second)) {
      throw new ConfigurationError(`The tier ${rules.second} cannot be hot and the second one at once.`, { remedy: 'Name another tier with VNA_STORAGE_SECOND.' });
    }
  }

  /** One tier for everything. */
  static single(name: string, store: ObjectStore): StorageTiers {
    return new StorageTiers(new Map([[name, store]]), { hot: name, tenantHot: {} });
  }

  /** Names, those that are read at the least cost first. */
  get names(): readonly string[] {
    return [...this.stores.keys()];
  }

  /** The tier that studies of a tenant are filed into. */
  hotOf(tenantId: string): string {
    return this.rules.tenantHot[tenantId] ?? this.rules.hot;
  }

  /** The tier that receives a second copy. */
  get second(): string | undefined {
    return this.rules.second;
  }

  get trustMs(): number {
    return this.rules.trust ?? DAY_MS;
  }

  /** The store for what belongs to no tenant's studies: prepared metadata. */
  get common(): ObjectStore {
    return this.storeOf(this.rules.hot);
  }

  /** @throws NotFoundError for a tier that is no longer configured */
  storeOf(name: string): ObjectStore {
    const store = this.stores.get(name);
    if (!store) throw new NotFoundError(`There is no storage tier named ${name}.`, { remedy: 'Add the tier to the configuration again.' });
    return store;
  }
}
