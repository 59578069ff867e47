import { afterAll } from '@jest/globals';
import { hasBackend, landingContract, MemoryObjectStore, S3Server } from '@perennia/testing';
import { S3ObjectStore } from '@perennia/object-store-s3';
import type { Landing, ObjectStore, ObjectWriter } from '@perennia/storage';
import { LandingObjectReader } from './landing-object-reader.js';
import { ObjectLanding } from './object-landing.js';

/** Gives others a turn, as a network would. */
class UnhurriedStore extends MemoryObjectStore {
  override async create(key: string): Promise<ObjectWriter> {
    await new Promise((resolve) => setImmediate(resolve));
    return super.create(key);
  }
}

const openIn = (store: ObjectStore): Promise<Landing> => ObjectLanding.open({ store, owner: 'test', segmentBytes: 64 * 1024, maxSegments: 4 });
/** A killed process does nothing more; whoever opens next takes the area over. */
const crash = async (): Promise<void> => undefined;

landingContract('ObjectLanding in memory', async () => {
  const store = new UnhurriedStore();
  return { open: () => openIn(store), crash, reader: () => new LandingObjectReader(store), close: async () => undefined };
});

if (hasBackend('s3')) {
  let server: S3Server | undefined;
  afterAll(() => server?.remove());
  landingContract('ObjectLanding on S3', async () => {
    server ??= await S3Server.use();
    const store = await S3ObjectStore.open({ ...server.access, bucket: await server.createBucket() });
    return { open: () => openIn(store), crash, reader: () => new LandingObjectReader(store), close: async () => store.close() };
  });
}
