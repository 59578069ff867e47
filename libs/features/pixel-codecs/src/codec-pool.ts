// Decodes and encodes frames in threads, so that nothing a frame can do reaches the process: not its time, not its memory, not
// its end. Frames are worked on in the order in which they come; each costs one task, and a bad one only itself.
import { availableParallelism } from 'node:os';
import { CancelledError, LimitExceededError, UnavailableError } from '@perennia/errors';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '@perennia/dicom-data';
import { checkCodestream } from './check-codestream.js';
import { CodecThread, type CodecThreadLimits } from './codec-thread.js';
import { nativeFrameBytes, type PixelModule } from './pixel-module.js';
import { planTranscode, type TranscodePlan } from './transcode-plan.js';

export interface CodecPoolOptions extends Partial<CodecThreadLimits> {
  /** Threads at most. Default: one fewer than processors, at least one. */
  threads?: number;
  /** Bytes of a decoded frame at most; told by its module, before any is decoded. Default 256 MiB. */
  maxFrameBytes?: number;
  /** Frames that wait for a thread at most. Default 1024. */
  maxWaiting?: number;
  /** A thread that had nothing to do for so long ends. Default 30 s. */
  idleMs?: number;
}

export interface TranscodedFrame {
  /** Not padded to an even length. */
  bytes: Uint8Array;
  /** What the header has to say of these bytes. */
  module: PixelModule;
  /** The pixels may have lost something before they came here. */
  isLossy: boolean;
}

interface Task {
  plan: TranscodePlan;
  bytes: Uint8Array;
  resolve(bytes: Uint8Array): void;
  reject(error: unknown): void;
}

const DEFAULTS = { frameTimeoutMs: 10_000, memoryLimitBytes: 1024 * 1024 * 1024, maxFrameBytes: 256 * 1024 * 1024, maxWaiting: 1024, idleMs: 30_000 };

export class CodecPool {
  readonly #options: Required<CodecPoolOptions>;
  readonly #waiting: Task[] = [];
  /** Threads without a task, with the timer that ends them; the one used last is used next. */
  readonly #idle = new Map<CodecThread, NodeJS.Timeout>();
  readonly #busy = new Set<CodecThread>();
  #isClosed = false;

  constructor(options: CodecPoolOptions = {}) {
    this.#options = { ...DEFAULTS, threads: Math.max(1, availableParallelism() - 1), ...options };
  }

  /** Threads that are there now. */
  get threads(): number {
    return this.#idle.size + this.#busy.size;
  }

  /** `transcodeFrame` to native little endian pixel data. */
  decodeFrame(from: string, module: PixelModule, bytes: Uint8Array, signal?: AbortSignal): Promise<TranscodedFrame> {
    return this.transcodeFrame(from, EXPLICIT_VR_LITTLE_ENDIAN, module, bytes, signal);
  }

  /**
   * @param from UID of the transfer syntax of the frame
   * @param to UID of the one asked for
   * @param module of the frame as it is stored
   * @param bytes one frame, its fragments joined, without item headers; copied once, never written to
   * @throws UnsupportedTransferSyntaxError, CodestreamError, CodecTimeoutError, LimitExceededError, CancelledError; UnavailableError when too many wait
   */
  async transcodeFrame(from: string, to: string, module: PixelModule, bytes: Uint8Array, signal?: AbortSignal): Promise<TranscodedFrame> {
    const plan = planTranscode(from, to, module);
    const done = { module: plan.result, isLossy: plan.source.isLossy };
    if (plan.isIdentity) return { bytes, ...done };
    const { maxFrameBytes } = this.#options;
    if (nativeFrameBytes(plan.decoded) > maxFrameBytes) throw new LimitExceededError(`A frame of this instance has more than ${maxFrameBytes} bytes.`, { remedy: 'Retrieve it as it is stored.' });
    checkCodestream(plan.source, module, bytes);
    return { bytes: await this.#run(plan, bytes, signal), ...done };
  }

  /** Ends all threads; what they work on, and what waits, fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const task of this.#waiting.splice(0)) task.reject(closed());
    for (const timer of this.#idle.values()) clearTimeout(timer);
    const threads = [...this.#idle.keys(), ...this.#busy];
    this.#idle.clear();
    await Promise.all(threads.map((thread) => thread.close(closed())));
  }

  #run(plan: TranscodePlan, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array> {
    if (this.#isClosed) throw closed();
    if (this.#waiting.length >= this.#options.maxWaiting) throw new UnavailableError('Too many frames wait to be decoded.');
    return new Promise<Uint8Array>((resolve, reject) => {
      const task: Task = { plan, bytes, resolve, reject };
      // What a thread has begun goes on, under its limits, and is thrown away: that is cheaper than another thread.
      const cancel = (): void => {
        const place = this.#waiting.indexOf(task);
        if (place >= 0) this.#waiting.splice(place, 1);
        reject(new CancelledError('Decoding was given up.', { cause: signal?.reason }));
      };
      if (signal?.aborted) return cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      task.resolve = (result) => (signal?.removeEventListener('abort', cancel), resolve(result));
      task.reject = (error) => (signal?.removeEventListener('abort', cancel), reject(error));
      this.#waiting.push(task);
      this.#next();
    });
  }

  #next(): void {
    if (this.#waiting.length === 0 || this.#isClosed) return;
    const thread = this.#takeThread();
    if (thread === undefined) return;
    const { plan, bytes, resolve, reject } = this.#waiting.shift()!;
    this.#busy.add(thread);
    void thread.run({ plan, bytes: new Uint8Array(bytes) }).then(resolve, reject).finally(() => this.#giveBack(thread));
  }

  #takeThread(): CodecThread | undefined {
    for (const [thread, timer] of [...this.#idle].toReversed()) {
      clearTimeout(timer);
      this.#idle.delete(thread);
      if (thread.isUsable) return thread;
    }
    return this.threads < this.#options.threads ? new CodecThread(this.#options) : undefined;
  }

  #giveBack(thread: CodecThread): void {
    this.#busy.delete(thread);
    if (thread.isUsable && !this.#isClosed) {
      const timer = setTimeout(() => {
        this.#idle.delete(thread);
        void thread.close(closed());
      }, this.#options.idleMs);
      timer.unref();
      this.#idle.set(thread, timer);
    }
    this.#next();
  }
}

const closed = (): CancelledError => new CancelledError('Decoding is being stopped.');
