// A PostgreSQL of our own over the packaged programs, for an installation on one machine: nothing to install, no default
// secret, reachable only from this machine. A start after any crash (kill -9 of us, of the server, of all; a power cut) is an
// ordinary start. Layout of the data folder: cluster/ (PGDATA), socket/, password.
import { chownSync, existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ConfigurationError, StoreFullError } from '@perennia/errors';
import { SystemClock, type Clock, type Logger } from '@perennia/telemetry';
import { FolderClaim } from './folder-claim.js';
import { initialiseCluster, SERVER_USER } from './initialise-cluster.js';
import { endOrphanedServers } from './orphaned-servers.js';
import { serverBinaries } from './server-binaries.js';
import { chooseServerIdentity, type ServerIdentity } from './server-identity.js';
import { serverPassword } from './server-password.js';
import { ServerProcess } from './server-process.js';
import { serverArguments, SOCKET_PORT, type ServerAddress } from './server-settings.js';

export interface EmbeddedPostgresOptions {
  dataDir: string;
  /**
   * Loopback TCP port, 0: a free one. Left out: a Unix socket, TCP where its path is too long. The socket is reachable by its
   * owner alone and a little quicker (best round trip 119 against 138 µs; medians 159 and 163 on a busy machine).
   */
  port?: number;
  log: Logger;
  clock?: Clock;
  /** Setting VNA_PG_USER: the account to run as when started by root. */
  account?: string;
  /** Server settings that win over ours; for tests. */
  overrides?: Readonly<Record<string, string>>;
}

/** sockaddr_un holds 107 bytes of path. */
const MAX_SOCKET_PATH_BYTES = 107;

export class EmbeddedPostgres {
  private constructor(
    readonly url: string,
    private readonly server: ServerProcess,
    private readonly claim: FolderClaim,
  ) {}

  /** Resolves when connections are accepted. @throws ConfigurationError, ConflictError (folder in use), StoreFullError, UnavailableError */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const { log, clock = new SystemClock() } = options;
    const folder = makeFolder(options.dataDir);
    const claim = await FolderClaim.take(folder);
    try {
      const startedMs = clock.monotonicMs();
      const binaries = await serverBinaries();
      const cluster = join(folder, 'cluster');
      const ended = existsSync(cluster) ? await endOrphanedServers(cluster, clock) : 0;
      if (ended > 0) log.warn({ processes: ended }, 'Ended PostgreSQL processes left behind by a crash');
      const identity = chooseServerIdentity(folder, binaries.initdb, options.account);
      handOver(folder, identity);
      const password = knownPassword(folder, cluster);
      const created = await initialiseCluster({ folder, cluster, initdb: binaries.initdb, identity, password });
      clearLeftovers(folder, cluster, identity);
      const address = await chooseAddress(folder, options.port);
      const server = await ServerProcess.start(binaries.postgres, serverArguments(cluster, address, options.overrides), identity, log, clock);
      log.info({ pid: server.pid, created, runsAs: identity.description, startMs: Math.round(clock.monotonicMs() - startedMs) }, 'PostgreSQL is ready');
      return new EmbeddedPostgres(serverUrl(address, password), server, claim);
    } catch (error) {
      await claim.release();
      throw error;
    }
  }

  get pid(): number {
    return this.server.pid;
  }

  /** Settles when the server has ended, wanted or not: the supervisor's cue to start another one (after `stop`). */
  get exited(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    return this.server.exited;
  }

  /** Stops the server in order; after seven seconds without waiting for its checkpoint. Gives the folder back. */
  async stop(): Promise<void> {
    await this.server.stop();
    await this.claim.release();
  }

  /** Lets this process end without stopping the server (which several test processes share). */
  leaveRunning(): void {
    this.server.unref();
  }
}

function makeFolder(dataDir: string): string {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return realpathSync(dataDir);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC') throw new StoreFullError(`The disk of ${dataDir} is full.`, { cause });
    throw new ConfigurationError(`The database folder ${dataDir} cannot be made (${code}).`, { cause, remedy: 'Choose a folder that you may write to (VNA_DATA).' });
  }
}

/** Root may have started the server as someone else before. */
function handOver(folder: string, identity: ServerIdentity): void {
  if (process.getuid!() !== 0 || lstatSync(folder).uid === identity.uid) return;
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) chownSync(join(folder, entry), identity.uid, identity.gid);
  chownSync(folder, identity.uid, identity.gid);
}

function knownPassword(folder: string, cluster: string): string {
  if (existsSync(join(cluster, 'PG_VERSION')) && !existsSync(join(folder, 'password'))) {
    throw new ConfigurationError(`The password file of the embedded database is missing from ${folder}.`, { remedy: 'Restore the file "password" from a backup of the data folder.' });
  }
  return serverPassword(folder);
}

/** No process works in the cluster any more: whatever a lock file names is stale, even if its process id is in use again. */
function clearLeftovers(folder: string, cluster: string, identity: ServerIdentity): void {
  rmSync(join(cluster, 'postmaster.pid'), { force: true });
  const sockets = join(folder, 'socket');
  rmSync(sockets, { recursive: true, force: true });
  mkdirSync(sockets, { mode: 0o700 });
  if (identity.switchUser) chownSync(sockets, identity.uid, identity.gid);
}

async function chooseAddress(folder: string, port: number | undefined): Promise<ServerAddress> {
  const socketFolder = join(folder, 'socket');
  const fits = Buffer.byteLength(join(socketFolder, `.s.PGSQL.${SOCKET_PORT}`)) <= MAX_SOCKET_PATH_BYTES;
  if (port === undefined && fits) return { socketFolder, port: null };
  return { socketFolder: null, port: port || (await freePort()) };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

function serverUrl(address: ServerAddress, password: string): string {
  const host = address.port === null ? `${encodeURIComponent(address.socketFolder!)}:${SOCKET_PORT}` : `127.0.0.1:${address.port}`;
  return `postgres://${SERVER_USER}:${encodeURIComponent(password)}@${host}/postgres`;
}
