// Opens the two planes. Where both URLs are the same they share one pool: connections cost memory in the server.
import 'reflect-metadata';
import { types } from 'pg';
import { DataSource } from 'typeorm';
import { checkServer } from './check-server.js';
import { ControlDatabase, ImagingDatabase } from './database.js';
import { planeEntities } from './plane-entities.js';
import { toArchiveError } from './to-archive-error.js';

export interface DatabaseOptions {
  controlUrl: string;
  imagingUrl: string;
  /** Connections of this process to each server (not plane). Default 8. */
  poolSize?: number;
  /** Shown in pg_stat_activity. */
  applicationName?: string;
  /** A statement that takes longer is ended; 0: none. Default 30 s. */
  statementTimeoutMs?: number;
  /** Told of connections lost while idle; the pool replaces them by itself. */
  onConnectionLost?: (error: unknown) => void;
}
export interface Databases {
  control: ControlDatabase;
  imaging: ImagingDatabase;
  close(): Promise<void>;
}

/** @throws ConfigurationError when a server is too old, too new or not durable; UnavailableError when it cannot be reached */
export async function connectDatabases(options: DatabaseOptions): Promise<Databases> {
  const shared = options.controlUrl === options.imagingUrl;
  const imagingSource = await open(options.imagingUrl, options);
  const imaging = new ImagingDatabase(imagingSource);
  try {
    await checkServer(imaging);
    const control = new ControlDatabase(shared ? imagingSource : await open(options.controlUrl, options));
    const close = async (): Promise<void> => {
      await imagingSource.destroy();
      if (!shared) await control.dataSource.destroy();
    };
    if (!shared) await checkServer(control).catch(async (error: unknown) => close().then(() => Promise.reject(error)));
    return { control, imaging, close };
  } catch (error) {
    if (imagingSource.isInitialized) await imagingSource.destroy();
    throw error;
  }
}

async function open(url: string, options: DatabaseOptions): Promise<DataSource> {
  const source = new DataSource({
    type: 'postgres',
    applicationName: options.applicationName ?? 'perennia',
    poolSize: options.poolSize ?? 8,
    connectTimeoutMS: 10_000,
    entities: planeEntities,
    synchronize: false,
    installExtensions: false,
    logging: false,
    poolErrorHandler: (error: unknown) => options.onConnectionLost?.(toArchiveError(error)),
    extra: {
      connectionString: url,
      statement_timeout: options.statementTimeoutMs ?? 30_000,
      // A transaction left open would hold back the outbox relay and vacuum.
      idle_in_transaction_session_timeout: 60_000,
      types: { getTypeParser },
    },
  });
  try {
    return await source.initialize();
  } catch (error) {
    throw toArchiveError(error);
  }
}

const INT8 = 20;

/** bigint columns (lengths, offsets, counts) as numbers: none of them reaches 2^53. */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  return oid === INT8 && format !== 'binary' ? Number : (types.getTypeParser(oid, format as 'text') as (text: string) => unknown);
}
