// The final status that follows from what became of the sub-operations (PS3.4 Tables C.4-2 and C.4-3).
import { DimseStatus } from './status.js';

/** 0000 when all went well, A702 when nothing did, B000 in between. */
export function statusOfSubOperations({ completed, failed, warning }: { completed: number; failed: number; warning: number }): number {
  if (failed === 0 && warning === 0) return DimseStatus.success;
  return completed === 0 && warning === 0 ? DimseStatus.unableToPerformSubOperations : DimseStatus.subOperationsWithFailures;
}
