// The promise "acknowledged is durable" needs a server that keeps its own: others are refused at start.
import { ConfigurationError } from '@perennia/errors';
import type { SqlRunner } from './database.js';

const OLDEST = 15;
const NEWEST = 18;
const mustNotBeOff = ['fsync', 'full_page_writes', 'synchronous_commit'] as const;

/** @throws ConfigurationError with one sentence that names the version or setting */
export async function checkServer(sql: SqlRunner): Promise<void> {
  const [server] = await sql.query<{ major: number } & Record<(typeof mustNotBeOff)[number], string>>(
    `select current_setting('server_version_num')::int / 10000 as major, current_setting('fsync') as fsync,
            current_setting('full_page_writes') as full_page_writes, current_setting('synchronous_commit') as synchronous_commit`,
  );
  if (server!.major < OLDEST || server!.major > NEWEST) {
    throw new ConfigurationError(`The database is PostgreSQL ${server!.major}; versions ${OLDEST} to ${NEWEST} are supported.`, {
      remedy: 'Use a supported server, or unset VNA_DATABASE_URL to use the embedded one.',
    });
  }
  const off = mustNotBeOff.find((setting) => server![setting] === 'off');
  if (off) {
    throw new ConfigurationError(`The database runs with ${off} = off and could lose what was acknowledged.`, {
      remedy: `Set ${off} = on for the server, the database and the role.`,
    });
  }
}
