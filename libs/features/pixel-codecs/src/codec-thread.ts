// One thread and the frame it works on. A thread that hangs, dies or meets a bad frame is done for: what a library left in its
// memory then is nobody's business, and a new thread costs less than to find out.
import { Worker } from 'node:worker_threads';
import { IllegalStateError, LimitExceededError, type ArchiveError } from '@perennia/errors';
import { CodecTimeoutError } from './codec-timeout-error.js';
import type { CodecFault, CodecReply, CodecRequest, CodecThreadData } from './codec-message.js';
import { CodestreamError } from './codestream-error.js';

export interface CodecThreadLimits {
  /** For one frame, the start of the thread included. */
  frameTimeoutMs: number;
  /** Of each library's memory. */
  memoryLimitBytes: number;
}

/** Compiled, whether this file is or not: a thread starts without the loaders of tests. */
const SCRIPT = new URL('../dist/codec-worker.js', import.meta.url);
/** Of JavaScript alone: samples are outside of it. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };

const byFault: Readonly<Record<CodecFault, (message: string, cause?: string) => ArchiveError>> = {
  codestream: (message, cause) => new CodestreamError(message, { cause }),
  memory: () => new LimitExceededError('The frame needs more memory than decoding may take.'),
  defect: (message, cause) => new IllegalStateError(message, { cause }),
};

export class CodecThread {
  readonly #worker: Worker;
  #settle: ((outcome: Uint8Array | ArchiveError) => void) | undefined;
  #isUsable = true;

  constructor(private readonly limits: CodecThreadLimits) {
    const workerData: CodecThreadData = { memoryLimitBytes: limits.memoryLimitBytes };
    this.#worker = new Worker(SCRIPT, { name: 'pixel-codec', workerData, resourceLimits: RESOURCE_LIMITS, env: {}, execArgv: [] });
    this.#worker.unref();
    this.#worker.on('message', (reply: CodecReply) => this.#end('bytes' in reply ? reply.bytes : byFault[reply.fault](reply.message, reply.cause)));
    this.#worker.on('error', (error: NodeJS.ErrnoException) => this.#end(lossOf(error)));
    this.#worker.on('exit', () => this.#end(ended()));
  }

  /** Whether it takes another frame. */
  get isUsable(): boolean {
    return this.#isUsable;
  }

  /**
   * One frame at a time; the memory of the bytes is moved to the thread.
   * @throws CodestreamError, CodecTimeoutError, LimitExceededError; IllegalStateError where a library is wrong
   */
  run(request: CodecRequest): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const { frameTimeoutMs } = this.limits;
      const timer = setTimeout(() => this.#end(new CodecTimeoutError(`The frame was not done within ${frameTimeoutMs} ms.`)), frameTimeoutMs);
      this.#settle = (outcome) => {
        clearTimeout(timer);
        if (outcome instanceof Uint8Array) resolve(outcome);
        else reject(outcome);
      };
      this.#worker.ref();
      this.#worker.postMessage(request, [request.bytes.buffer as ArrayBuffer]);
    });
  }

  /** What it works on fails with the reason. */
  async close(reason: ArchiveError): Promise<void> {
    this.#settleWith(reason);
    await this.#terminate();
  }

  #end(outcome: Uint8Array | ArchiveError): void {
    if (!(outcome instanceof Uint8Array)) void this.#terminate();
    this.#worker.unref();
    this.#settleWith(outcome);
  }

  async #terminate(): Promise<void> {
    this.#isUsable = false;
    await this.#worker.terminate();
  }

  #settleWith(outcome: Uint8Array | ArchiveError): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(outcome);
  }
}

const lossOf = (error: NodeJS.ErrnoException): ArchiveError =>
  error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? byFault.memory('') : ended(error);
const ended = (cause?: Error): ArchiveError => new IllegalStateError('A thread of the codecs ended by itself.', { cause });
