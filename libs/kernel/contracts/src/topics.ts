// The topics of the event log and what they are keyed by. Partition counts are chosen once per installation.
import { DEAD_LETTER } from './events/dead-letter.v1.js';
import { INSTANCE_RECEIVED } from './events/instance-received.v1.js';
import { STUDY_CHANGED } from './events/study-changed.v1.js';

export interface Topic {
  name: string;
  keyedBy: string;
  retentionDays: number;
}
export const topics: readonly Topic[] = [
  { name: INSTANCE_RECEIVED, keyedBy: 'tenant and study', retentionDays: 7 },
  { name: STUDY_CHANGED, keyedBy: 'tenant and study', retentionDays: 14 },
  { name: DEAD_LETTER, keyedBy: 'original key', retentionDays: 14 },
];
/** Partitions of every topic on one machine and in tests. */
export const DEFAULT_PARTITIONS = 8;
/** Channel of PostgreSQL on which indexers tell that rows have appeared: a hint to look, with nothing in it to rely on. */
export const INDEXED_CHANNEL = 'vna_indexed';
