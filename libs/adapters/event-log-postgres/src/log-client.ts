// A connection of the log. Each part of it has its own: the locks of a group member live as long as its session does.
import { Client } from 'pg';
import { statementName, toArchiveError } from '@perennia/persistence';

export interface LogClient {
  /** A text with parameters is a constant: it is parsed and planned once. */
  query<Row = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Called with the payload of notifications of channels this session listens to. */
  onNotification(handler: (payload: string) => void): void;
  end(): Promise<void>;
}

export interface LogClientOptions {
  /** Shown in pg_stat_activity. */
  name: string;
  /** off: what is written may be lost in a crash of the server and is done again. */
  synchronousCommit: 'on' | 'off';
  /** Plans that read the log from one end to the other are never right here, whatever the statistics say. */
  indexScansOnly?: boolean;
}

/** @throws UnavailableError, ConfigurationError */
export async function connectLogClient(url: string, options: LogClientOptions): Promise<LogClient> {
  const settings = { synchronous_commit: options.synchronousCommit, ...(options.indexScansOnly ? { enable_seqscan: 'off', enable_bitmapscan: 'off' } : {}) };
  const client = new Client({
    connectionString: url,
    application_name: `perennia-${options.name}`,
    keepAlive: true,
    options: Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`).join(' '),
  });
  // A lost connection shows at the next query; without a listener it would end the process.
  client.on('error', () => undefined);
  await wrapped(client.connect());
  return {
    query: async <Row>(sql: string, parameters?: readonly unknown[]) => {
      const { rows } = await wrapped(client.query(parameters ? { name: statementName(sql), text: sql, values: parameters as unknown[] } : sql));
      return rows as Row[];
    },
    onNotification: (handler) => void client.on('notification', ({ payload }) => handler(payload ?? '')),
    // Ending a connection that is lost already has nothing to report.
    end: () => client.end().catch(() => undefined),
  };
}

function wrapped<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => Promise.reject(toArchiveError(error)));
}
