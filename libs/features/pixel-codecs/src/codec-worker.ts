// A thread of the pool: takes a frame, gives a frame or says what is wrong. Knows no files, no network and no environment.
import { parentPort, workerData } from 'node:worker_threads';
import { CodestreamError } from './codestream-error.js';
import type { CodecFault, CodecReply, CodecRequest, CodecThreadData } from './codec-message.js';
import { FrameTranscoder } from './frame-transcoder.js';
import { MemoryCap } from './memory-cap.js';

const cap = new MemoryCap((workerData as CodecThreadData).memoryLimitBytes);
cap.install();
const transcoder = new FrameTranscoder(cap);

parentPort!.on('message', async ({ plan, bytes }: CodecRequest) => {
  try {
    cap.begin();
    const result = await transcoder.transcode(plan, bytes);
    // A view of more, or of memory that others use too, is copied: the whole of it is moved.
    const whole = result.byteLength === result.buffer.byteLength ? result : new Uint8Array(result);
    parentPort!.postMessage({ bytes: new Uint8Array(whole.buffer) } satisfies CodecReply, [whole.buffer as ArrayBuffer]);
  } catch (error) {
    parentPort!.postMessage(replyOf(error), []);
  }
});

function replyOf(error: unknown): CodecReply {
  const fault: CodecFault = cap.isReached || isExhaustion(error) ? 'memory' : error instanceof CodestreamError ? 'codestream' : 'defect';
  const cause = error instanceof Error && error.cause !== undefined ? { cause: String(error.cause) } : {};
  return { fault, message: error instanceof Error ? error.message : String(error), ...cause };
}

/** What V8 says when the stack or the memory of a process is at its end. */
const isExhaustion = (error: unknown): boolean => error instanceof RangeError && /call stack|allocation failed|memory/i.test(error.message);
