// Hears the notices (NOTIFY) of one channel on a connection of its own. Notices are hints: while the connection is lost they are lost
// with it, so whoever listens looks by himself now and then.
import { Client } from 'pg';
import type { ImagingDatabase } from './database.js';
import { toArchiveError } from './to-archive-error.js';

export class NoticeListener {
  private client: Promise<Client> | null = null;

  /** @param channel an identifier of ours, never text from outside */
  constructor(
    private readonly imaging: ImagingDatabase,
    private readonly channel: string,
    private readonly heard: () => void,
  ) {}

  /** Resolves when notices are heard; connects again after a loss. @throws UnavailableError */
  async listen(): Promise<void> {
    this.client ??= this.connect();
    await this.client;
  }

  async close(): Promise<void> {
    const client = await this.client?.catch(() => null);
    this.client = null;
    await client?.end();
  }

  private async connect(): Promise<Client> {
    const { connectionString } = this.imaging.dataSource.options.extra as { connectionString: string };
    const client = new Client({ connectionString, application_name: 'perennia-notices', keepAlive: true });
    const lost = (): void => void (this.client = null);
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', this.heard);
    try {
      await client.connect();
      await client.query(`listen ${this.channel}`);
      return client;
    } catch (error) {
      this.client = null;
      await client.end().catch(() => undefined);
      throw toArchiveError(error);
    }
  }
}
