// How full a file system is, as `df` tells it: what only root may have counts neither as used nor as free.
import type { StatsFs } from 'node:fs';

/** 0 to 1. */
export function usedShare({ blocks, bfree, bavail }: Pick<StatsFs, 'blocks' | 'bfree' | 'bavail'>): number {
  const used = blocks - bfree;
  return used + bavail === 0 ? 0 : used / (used + bavail);
}
