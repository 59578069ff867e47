// How a command reaches the archive: through its web endpoint while it runs, and through its database whether it runs or not (the
// embedded one is then started for the time of the command, under the lock of the data folder).
import { join, resolve } from 'node:path';
import { ArchiveConfig, DatabaseServer, DataFolder, loadArchiveConfig, migrateDatabases, pendingBySchema, reachable, readRunState, type RunState } from '@perennia/all-in-one';
import type { EffectiveConfig } from '@perennia/config';
import { DicomwebConfig } from '@perennia/dicomweb/dicomweb.config';
import { UnavailableError } from '@perennia/errors';
import { connectDatabases, type Databases } from '@perennia/persistence';
import { isProcessAlive } from '@perennia/storage';
import { createLogger, SystemClock } from '@perennia/telemetry';

/** Nothing a command reports is worth waiting longer for. */
const STATEMENT_TIMEOUT_MS = 600_000;

export class ArchiveAccess {
  readonly config: EffectiveConfig = loadArchiveConfig();
  readonly dataPath = resolve(this.config.get(ArchiveConfig).data);

  /** The running archive of this data folder, if there is one. */
  running(): RunState | undefined {
    const state = readRunState(join(this.dataPath, 'run'));
    return state?.processes.some(({ name, identity }) => name === 'supervisor' && isProcessAlive(identity)) ? state : undefined;
  }

  /** @throws UnavailableError when the archive does not run */
  requireRunning(): RunState {
    const state = this.running();
    if (state) return state;
    throw new UnavailableError(`No archive is running on the data folder ${this.dataPath}`, { remedy: 'Start it with "npm start", or name its folder with VNA_DATA' });
  }

  get webUrl(): URL {
    const { host, port, pathPrefix } = this.config.get(DicomwebConfig);
    return new URL(`http://${reachable(host)}:${port}${pathPrefix}/`);
  }

  /** Runs `use` with the databases open, starting the embedded server when the archive does not run. */
  async withDatabases<Result>(use: (databases: Databases, url: string) => Promise<Result>): Promise<Result> {
    const running = this.running();
    if (!running) return this.whileStopped(use);
    // A command of an older release would misread what it does not know.
    await pendingBySchema(running.databaseUrl);
    return this.#connected(running.databaseUrl, use);
  }

  /** The same, but never while the archive runs. @throws ConflictError when it does */
  async whileStopped<Result>(use: (databases: Databases, url: string) => Promise<Result>): Promise<Result> {
    return this.#withServer(async (url, folder) => {
      await migrateDatabases(url);
      folder.markFormat();
      return this.#connected(url, use);
    });
  }

  /** The database as it stands, whether the archive runs or not; one of your own without touching the data folder. */
  async withDatabaseUrl<Result>(use: (url: string) => Promise<Result>): Promise<Result> {
    const url = this.running()?.databaseUrl ?? this.config.get(ArchiveConfig).databaseUrl;
    return url === undefined ? this.#withServer(use) : use(url);
  }

  async #withServer<Result>(use: (url: string, folder: DataFolder) => Promise<Result>): Promise<Result> {
    const { databaseUrl, pgUser } = this.config.get(ArchiveConfig);
    const folder = DataFolder.take(this.dataPath, 0);
    try {
      const log = createLogger('cli', 'error');
      const server = await DatabaseServer.start({ databaseUrl, dataPath: this.dataPath, account: pgUser, log, clock: new SystemClock() });
      try {
        return await use(server.url, folder);
      } finally {
        await server.stop();
      }
    } finally {
      folder.release();
    }
  }

  async #connected<Result>(url: string, use: (databases: Databases, url: string) => Promise<Result>): Promise<Result> {
    const databases = await connectDatabases({
      controlUrl: url, imagingUrl: url, poolSize: 4, applicationName: 'perennia vna', statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    });
    try {
      return await use(databases, url);
    } finally {
      await databases.close();
    }
  }
}
