// Tells other processes that a topic has new records. NOTIFY takes a lock of the whole server at commit, so it is sent apart
// from the append, on a session that does not wait for the disk, and at most once in a short while.
import type { Clock } from '@perennia/telemetry';
import { CHANNEL } from './group-member.js';

const AT_MOST_EVERY_MS = 2;

export class AppendAnnouncer {
  private readonly topics = new Set<number>();
  private running: Promise<void> | null = null;

  /** @param notify may fail: the others poll anyway */
  constructor(private readonly notify: (sql: string, parameters: unknown[]) => Promise<unknown>, private readonly clock: Clock) {}

  announce(topicId: number): void {
    this.topics.add(topicId);
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.topics.size > 0) {
      const topics = [...this.topics].map(String);
      this.topics.clear();
      await this.notify('select pg_notify($1, topic) from unnest($2::text[]) as topic', [CHANNEL, topics]).catch(() => undefined);
      await this.clock.sleep(AT_MOST_EVERY_MS);
    }
    this.running = null;
  }
}
