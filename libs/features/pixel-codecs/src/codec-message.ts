// What the pool and its threads tell one another. Errors lose their class between threads; their kind stays.
import type { TranscodePlan } from './transcode-plan.js';

export interface CodecThreadData {
  /** Of each library. */
  memoryLimitBytes: number;
}
export interface CodecRequest {
  plan: TranscodePlan;
  bytes: Uint8Array;
}
export type CodecFault = 'codestream' | 'memory' | 'defect';
export type CodecReply = { bytes: Uint8Array } | { fault: CodecFault; message: string; cause?: string };
