// The objects of a store that were read last, whole, up to a number of bytes: for who reads many small pieces that stand together, where each
// read is a request over a network. Who asks for one that is on its way waits for it.
import type { ObjectStore } from './object-store.js';

const OBJECT_BYTES = 8 * 1024 * 1024;
const ALL_BYTES = 32 * 1024 * 1024;

interface Remembered {
  bytes: Promise<Buffer>;
  /** 0 while it is on its way. */
  sizeBytes: number;
}

export class RecentObjects {
  /** The least recently asked for first. */
  private readonly objects = new Map<string, Remembered>();
  private heldBytes = 0;

  constructor(private readonly store: ObjectStore) {}

  /** The object, or its first 8 MiB. What is given out stays as it is: take copies. @throws as ObjectStore.read */
  get(key: string): Promise<Buffer> {
    const known = this.objects.get(key);
    const object = known ?? { bytes: this.store.readUpTo(key, OBJECT_BYTES), sizeBytes: 0 };
    this.objects.delete(key);
    this.objects.set(key, object);
    if (!known) void this.weigh(key, object);
    return object.bytes;
  }

  private async weigh(key: string, object: Remembered): Promise<void> {
    try {
      object.sizeBytes = (await object.bytes).length;
      this.heldBytes += object.sizeBytes;
      this.forget();
    } catch {
      // Told to who asked; the next one tries again.
      this.objects.delete(key);
    }
  }

  private forget(): void {
    for (const [key, { sizeBytes }] of this.objects) {
      if (this.heldBytes <= ALL_BYTES) return;
      if (sizeBytes === 0) continue;
      this.objects.delete(key);
      this.heldBytes -= sizeBytes;
    }
  }
}
