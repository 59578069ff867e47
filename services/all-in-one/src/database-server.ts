// The database of the archive: an outside one, or the embedded one, which is started again when it ends unasked.
import { join } from 'node:path';
import { EmbeddedPostgres } from '@perennia/postgres-embedded';
import type { Clock, Logger } from '@perennia/telemetry';

const RESTART_PAUSE_MS = 500;

export interface DatabaseServerOptions {
  databaseUrl: string | undefined;
  dataPath: string;
  account: string | undefined;
  log: Logger;
  clock: Clock;
}

export class DatabaseServer {
  #embedded: EmbeddedPostgres | undefined;
  readonly #stopping = new AbortController();

  private constructor(
    readonly url: string,
    private readonly options: DatabaseServerOptions,
  ) {}

  static async start(options: DatabaseServerOptions): Promise<DatabaseServer> {
    if (options.databaseUrl !== undefined) return new DatabaseServer(options.databaseUrl, options);
    const embedded = await startEmbedded(options);
    const server = new DatabaseServer(embedded.url, options);
    server.#embedded = embedded;
    void server.#watch(embedded);
    return server;
  }

  /** Process id of the embedded server. */
  get pid(): number | undefined {
    return this.#embedded?.pid;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#embedded?.stop();
  }

  async #watch(first: EmbeddedPostgres): Promise<void> {
    const { log, clock } = this.options;
    const { signal } = this.#stopping;
    for (let current: EmbeddedPostgres | undefined = first; !signal.aborted; ) {
      if (current) {
        const ending = await current.exited;
        if (signal.aborted) return;
        log.error(ending, 'The database ended; it is started again');
        await current.stop();
      }
      await clock.sleep(RESTART_PAUSE_MS, signal);
      if (signal.aborted) return;
      current = await startEmbedded(this.options, portOf(this.url)).catch((err: unknown) => {
        log.error({ err }, 'The database could not start again');
        return undefined;
      });
      this.#embedded = current;
    }
  }
}

/** Over TCP (where the path of the socket would be too long) a restart keeps the port: the processes know it. */
const portOf = (url: string): number | undefined => {
  const match = /@127\.0\.0\.1:(\d+)\//.exec(url);
  return match ? Number(match[1]) : undefined;
};

const startEmbedded = ({ dataPath, account, log, clock }: DatabaseServerOptions, port?: number): Promise<EmbeddedPostgres> =>
  EmbeddedPostgres.start({
    dataDir: join(dataPath, 'postgres'),
    log,
    clock,
    ...(port === undefined ? {} : { port }),
    ...(account === undefined ? {} : { account }),
  });
