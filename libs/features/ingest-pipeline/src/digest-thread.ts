// SHA-256 away from the thread that reads sockets: hashing is half of the CPU of receiving a CT. Bytes go through a shared ring
// (one copy, no message per chunk); a digest comes back as one message. Small objects are cheaper to hash where they are.
import { createHash, type Hash } from 'node:crypto';
import { Worker } from 'node:worker_threads';

const RING_BYTES = 16 * 1024 * 1024;
const QUEUE_SLOTS = 4096;
const SLOT_INTS = 4;
/** Objects up to this size are hashed on the calling thread: 10 KB take about 10 µs, a round trip takes longer. */
const INLINE_LIMIT_BYTES = 48 * 1024;

// Control words: [0] slots published by us, [1] slots done by the worker.
const workerSource = `
const { workerData, parentPort } = require('node:worker_threads');
const { createHash } = require('node:crypto');
const control = new Int32Array(workerData.control), queue = new Int32Array(workerData.queue), ring = new Uint8Array(workerData.ring);
const hashes = new Map();
let next = 0;
for (;;) {
  const published = Atomics.load(control, 0);
  if (published === next) { Atomics.wait(control, 0, published); continue; }
  while (next !== published) {
    const at = (next & ${QUEUE_SLOTS - 1}) * ${SLOT_INTS};
    const id = queue[at], offset = queue[at + 1], length = queue[at + 2], operation = queue[at + 3];
    if (operation === 2) hashes.delete(id);
    else {
      let hash = hashes.get(id);
      if (!hash) hashes.set(id, (hash = createHash('sha256')));
      if (operation === 0) hash.update(ring.subarray(offset, offset + length));
      else { parentPort.postMessage([id, hash.digest('hex')]); hashes.delete(id); }
    }
    next = (next + 1) | 0;
    Atomics.store(control, 1, next);
  }
}`;

/** The digest of one object. Feed it in order, then `finish` or `discard`. */
export interface ObjectDigest {
  /** The bytes are read before it returns or resolves. */
  update(chunk: Uint8Array): Promise<void> | undefined;
  finish(): Promise<string> | string;
  discard(): void;
}

export class DigestThread {
  private readonly control = new Int32Array(new SharedArrayBuffer(8));
  private readonly queue = new Int32Array(new SharedArrayBuffer(QUEUE_SLOTS * SLOT_INTS * 4));
  private readonly ring = new Uint8Array(new SharedArrayBuffer(RING_BYTES));
  /** End of the ring range of each published slot, to know what is free again. */
  private readonly slotBytes = new Int32Array(QUEUE_SLOTS);
  private readonly worker: Worker;
  private readonly waiting = new Map<number, (digest: string) => void>();
  private published = 0;
  private reclaimed = 0;
  private usedBytes = 0;
  private head = 0;
  private nextId = 0;

  constructor() {
    this.worker = new Worker(workerSource, {
      eval: true,
      workerData: { control: this.control.buffer, queue: this.queue.buffer, ring: this.ring.buffer },
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    });
    this.worker.on('message', ([id, digest]: [number, string]) => {
      this.waiting.get(id)?.(digest);
      this.waiting.delete(id);
      if (this.waiting.size === 0) this.worker.unref();
    });
    this.worker.unref();
  }

  begin(): ObjectDigest {
    return new AdaptiveDigest(this);
  }

  newId(): number {
    this.nextId = (this.nextId + 1) | 0;
    return this.nextId;
  }

  /** Copies the chunk into the ring; a promise when the ring is full and the copy must wait. */
  update(id: number, chunk: Uint8Array): Promise<void> | undefined {
    let from = 0;
    while (from < chunk.length) {
      const taken = this.offer(id, chunk.subarray(from));
      if (taken === 0) return this.updateLater(id, chunk.subarray(from));
      from += taken;
    }
    return undefined;
  }

  private async updateLater(id: number, rest: Uint8Array): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await this.update(id, rest);
  }

  finish(id: number): Promise<string> {
    return new Promise((resolve) => {
      if (this.waiting.size === 0) this.worker.ref();
      this.waiting.set(id, resolve);
      void this.signal(id, 1);
    });
  }

  discard(id: number): void {
    void this.signal(id, 2);
  }

  private async signal(id: number, operation: number): Promise<void> {
    while (!this.publish(id, 0, 0, operation)) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Takes as much of the chunk as fits before the ring wraps or is full. */
  private offer(id: number, chunk: Uint8Array): number {
    this.reclaim();
    const length = Math.min(chunk.length, RING_BYTES - this.usedBytes, RING_BYTES - this.head);
    if (length === 0 || ((this.published - this.reclaimed) | 0) >= QUEUE_SLOTS) return 0;
    this.ring.set(length === chunk.length ? chunk : chunk.subarray(0, length), this.head);
    this.publish(id, this.head, length, 0);
    this.head = (this.head + length) % RING_BYTES;
    this.usedBytes += length;
    return length;
  }

  private publish(id: number, offset: number, length: number, operation: number): boolean {
    this.reclaim();
    if (((this.published - this.reclaimed) | 0) >= QUEUE_SLOTS) return false;
    const slot = this.published & (QUEUE_SLOTS - 1);
    const at = slot * SLOT_INTS;
    this.queue[at] = id;
    this.queue[at + 1] = offset;
    this.queue[at + 2] = length;
    this.queue[at + 3] = operation;
    this.slotBytes[slot] = length;
    this.published = (this.published + 1) | 0;
    Atomics.store(this.control, 0, this.published);
    Atomics.notify(this.control, 0);
    return true;
  }

  private reclaim(): void {
    const done = Atomics.load(this.control, 1);
    while (this.reclaimed !== done) {
      this.usedBytes -= this.slotBytes[this.reclaimed & (QUEUE_SLOTS - 1)]!;
      this.reclaimed = (this.reclaimed + 1) | 0;
    }
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }
}

/** Hashes here while the object is small, and hands over to the thread with the chunk that makes it large. */
class AdaptiveDigest implements ObjectDigest {
  private readonly small: Uint8Array[] = [];
  private sizeBytes = 0;
  private id = 0;

  constructor(private readonly thread: DigestThread) {}

  update(chunk: Uint8Array): Promise<void> | undefined {
    this.sizeBytes += chunk.length;
    if (this.id !== 0) return this.thread.update(this.id, chunk);
    this.small.push(chunk);
    return this.sizeBytes > INLINE_LIMIT_BYTES ? this.handOver() : undefined;
  }

  private handOver(): Promise<void> | undefined {
    this.id = this.thread.newId();
    let pending: Promise<void> | undefined;
    for (const chunk of this.small.splice(0)) pending = pending ? pending.then(() => this.thread.update(this.id, chunk)) : this.thread.update(this.id, chunk);
    return pending;
  }

  finish(): Promise<string> | string {
    if (this.id !== 0) return this.thread.finish(this.id);
    const hash: Hash = createHash('sha256');
    for (const chunk of this.small) hash.update(chunk);
    return hash.digest('hex');
  }

  discard(): void {
    if (this.id !== 0) this.thread.discard(this.id);
    this.small.length = 0;
  }
}
