import { describe, expect, it } from '@jest/globals';
import { createLogger } from '@perennia/telemetry';
import { MemoryObjectStore } from '@perennia/testing';
import { ObjectLandingAreas } from './object-landing-areas.js';

class CountedStore extends MemoryObjectStore {
  keysGiven = 0;
  override async *list(prefix: string, after?: string) {
    for await (const found of super.list(prefix, after)) {
      this.keysGiven += 1;
      yield found;
    }
  }
}

describe('ObjectLandingAreas', () => {
  it('given areas with many objects, whose names begin alike, then each owner is told once, by one key of each', async () => {
    const store = new CountedStore();
    const owners = ['ingest', 'ingest-a', 'ingest-ab', 'ingest.a', 'web', 'web_2'];
    for (const owner of owners) {
      for (let number = 0; number < 20; number++) await (await store.create(`work/landing/${owner}/log/${String(number).padStart(16, '0')}`)).commit();
    }
    expect(await new ObjectLandingAreas({ store, maxSegments: 2, log: createLogger('test', 'silent') }).owners()).toEqual(owners.toSorted());
    expect(store.keysGiven).toBe(owners.length);
  });

  it('given no area, then there is no owner', async () => {
    expect(await new ObjectLandingAreas({ store: new MemoryObjectStore(), maxSegments: 2, log: createLogger('test', 'silent') }).owners()).toEqual([]);
  });
});
