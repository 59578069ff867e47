// The topics of the archive on a cluster: created from their declaration, and held against it.
import { topics as declared, type Topic } from '@perennia/contracts';
import type { Admin, ITopicConfig } from 'kafkajs';

export interface TopicSettings {
  partitions: number;
  replication: number;
}
export interface TopicFinding {
  topic: string;
  state: 'as declared' | 'missing' | 'different';
  /** What differs, in plain words. */
  reason?: string;
}

const DAY_MS = 86_400_000;
/** A record of 256 KiB with its envelope, several to a request. */
const MAX_MESSAGE_BYTES = 1024 * 1024 + 64 * 1024;

function configOf({ name, retentionDays }: Topic, { partitions, replication }: TopicSettings): ITopicConfig {
  return {
    topic: name,
    numPartitions: partitions,
    replicationFactor: replication,
    configEntries: [
      { name: 'retention.ms', value: String(retentionDays * DAY_MS) },
      { name: 'max.message.bytes', value: String(MAX_MESSAGE_BYTES) },
      // With two replicas that have it, a record survives the loss of any one broker.
      { name: 'min.insync.replicas', value: String(Math.min(2, replication)) },
    ],
  };
}

/** Creates what is missing; what exists is left as it is. @returns the names of those created */
export async function createTopics(admin: Admin, settings: TopicSettings, wanted: readonly Topic[] = declared): Promise<string[]> {
  const existing = new Set(await admin.listTopics());
  const missing = wanted.filter(({ name }) => !existing.has(name));
  if (missing.length > 0) await admin.createTopics({ topics: missing.map((topic) => configOf(topic, settings)), waitForLeaders: true });
  return missing.map(({ name }) => name);
}

/** Holds what exists against the declaration. */
export async function checkTopics(admin: Admin, settings: TopicSettings, wanted: readonly Topic[] = declared): Promise<TopicFinding[]> {
  const existing = new Set(await admin.listTopics());
  const present = wanted.filter(({ name }) => existing.has(name)).map(({ name }) => name);
  const { topics } = await admin.fetchTopicMetadata({ topics: present });
  const partitionsOf = new Map(topics.map(({ name, partitions }) => [name, partitions]));
  return wanted.map(({ name }): TopicFinding => {
    const partitions = partitionsOf.get(name);
    if (!partitions) return { topic: name, state: 'missing' };
    if (partitions.length !== settings.partitions) {
      return { topic: name, state: 'different', reason: `${partitions.length} partitions instead of ${settings.partitions}` };
    }
    const fewest = Math.min(...partitions.map(({ replicas }) => replicas.length));
    if (fewest < settings.replication) return { topic: name, state: 'different', reason: `${fewest} replicas instead of ${settings.replication}` };
    return { topic: name, state: 'as declared' };
  });
}
