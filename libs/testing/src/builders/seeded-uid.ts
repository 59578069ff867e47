// UIDs that follow from a seed, so that a failing test can be run again with the same ones (PS3.5 §B.2: 2.25 and a UUID).
import { createHash } from 'node:crypto';

export function seededUid(seed: string): string {
  return `2.25.${BigInt(`0x${createHash('sha256').update(seed).digest('hex').slice(0, 32)}`)}`;
}
