// The whole archive on one machine: the database first, then the processes that need it; stopped in the opposite order. One start
// sequence for the first start, for every later one, and for the one after everything was killed.
import type { Socket } from 'node:net';
import type { EffectiveConfig } from '@perennia/config';
import { CancelledError } from '@perennia/errors';
import { IngestConfig } from '@perennia/ingest/ingest.config';
import { RetrieveConfig } from '@perennia/retrieve/retrieve.config';
import { processIdentity } from '@perennia/storage';
import { SystemClock, type Clock, type Logger } from '@perennia/telemetry';
import { ArchiveConfig } from './archive.config.js';
import { ArchiveHealth } from './archive-health.js';
import type { AssociationMessage } from './association-message.js';
import { DataFolder } from './data-folder.js';
import { DatabaseServer } from './database-server.js';
import { prepareEventLog } from './event-logs.js';
import { endpointsOf } from './endpoints.js';
import { listenersOf } from './listeners-of.js';
import { assertKnownPeers, assertPortsFree, openListeners, type Listener } from './listeners.js';
import { groupsFor, type ProcessGroup } from './process-groups.js';
import { migrateDatabases } from './migrate-databases.js';
import { RoleProcess } from './role-process.js';
import type { RunningGroup } from './run-group.js';
import { endOrphans, removeRunState, writeRunState, type RunningProcess } from './run-state.js';

const WARNING_INTERVAL_MS = 3_600_000;
/** Together with the grace of open associations (4 s by default) below the ten seconds within which Ctrl-C ends everything. */
const AFTER_GRACE_MS = 1500;
const WORKER_STOP_MS = 1500;
const DATABASE_STOP_MS = 2000;
const SPARE_MS = 500;

export class Supervisor {
  readonly #clock: Clock = new SystemClock();
  readonly #startedAt = new Date(this.#clock.nowMs()).toISOString();
  readonly #settings: ArchiveConfig;
  #folder: DataFolder | undefined;
  #database: DatabaseServer | undefined;
  #processes: RoleProcess[] = [];
  #inProcess: { group: ProcessGroup; running: RunningGroup }[] = [];
  #health: ArchiveHealth | undefined;
  #warning: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(
    private readonly config: EffectiveConfig,
    private readonly log: Logger,
  ) {
    this.#settings = config.get(ArchiveConfig);
  }

  /** Resolves when every service is ready. @throws ArchiveError; then `stop` puts back what had been taken */
  async start(): Promise<void> {
    const { data, minimumFree, databaseUrl, pgUser, unsafeListen, healthHost, healthPort } = this.#settings;
    const groups = groupsFor(this.#settings.roles);
    const listeners = listenersOf(this.config, this.#settings.roles);
    assertKnownPeers(listeners, unsafeListen);
    this.#folder = DataFolder.take(data, minimumFree);
    const orphans = await endOrphans(this.#folder.runFolder, this.#clock);
    if (orphans > 0) this.log.warn({ orphans }, 'Waited for processes left behind by a killed supervisor');
    await assertPortsFree(listeners);
    this.#database = await DatabaseServer.start({ databaseUrl, dataPath: this.#folder.path, account: pgUser, log: this.log, clock: this.#clock });
    if (this.#stopping) throw await this.#database.stop().then(() => new CancelledError('The archive was stopped while it started'));
    const { url } = this.#database;
    const applied = await migrateDatabases(url);
    if (Object.values(applied).some((count) => count > 0)) this.log.info(applied, 'Database schema brought up to date');
    await prepareEventLog({ config: this.config, databaseUrl: url, clientName: 'perennia supervisor', log: this.log, clock: this.#clock });
    this.#folder.markFormat();
    await (this.#settings.processes === 1 ? this.#startInside(groups, url) : this.#startBeside(groups, url));
    const inProcess = this.#inProcess.map(({ group, running }) => ({ name: group.name, ...running }));
    this.#health = new ArchiveHealth({ processes: this.#processes, inProcess, dataPath: this.#folder.path, clock: this.#clock });
    await this.#health.listen(healthPort, healthHost);
    this.#warnOfOpenListeners(listeners);
    this.#writeState();
  }

  /** Longest that `stop` takes. */
  get stopDeadlineMs(): number {
    return this.#receptionStopMs + WORKER_STOP_MS + DATABASE_STOP_MS + SPARE_MS;
  }

  get #receptionStopMs(): number {
    return Math.max(this.config.get(IngestConfig).shutdownGrace, this.config.get(RetrieveConfig).shutdownGrace) + AFTER_GRACE_MS;
  }

  /** Reception first, so that what it published is still worked on; the database last. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#warning);
    const receptionMs = this.#receptionStopMs;
    const byName = (name: string): RoleProcess[] => this.#processes.filter((each) => each.name === name);
    await Promise.all([...byName('ingest'), ...byName('web')].map((each) => each.stop(receptionMs)));
    await Promise.all(byName('worker').map((each) => each.stop(WORKER_STOP_MS)));
    await this.#within(receptionMs + WORKER_STOP_MS, this.#stopInside());
    await this.#within(DATABASE_STOP_MS, this.#database?.stop());
    await this.#health?.close();
    if (!this.#folder) return;
    removeRunState(this.#folder.runFolder);
    this.#folder.release();
  }

  async #startBeside(groups: readonly ProcessGroup[], url: string): Promise<void> {
    const environment = (): NodeJS.ProcessEnv => ({ ...process.env, VNA_DATABASE_URL: url, UV_THREADPOOL_SIZE: '8' });
    this.#processes = groups.map(
      (group) => new RoleProcess({ group, environment, log: this.log, clock: this.#clock, onChange: () => this.#writeState(), onAssociation: (message, socket) => this.#passOn(message, socket) }),
    );
    await Promise.all(this.#processes.map((each) => each.start()));
  }

  async #startInside(groups: readonly ProcessGroup[], databaseUrl: string): Promise<void> {
    // Not loaded where the groups run beside: a supervisor stays small.
    const [{ runGroup }, { LocalExchange }] = await Promise.all([import('./run-group.js'), import('./association-exchanges.js')]);
    const exchange = new LocalExchange();
    for (const group of groups) {
      this.#inProcess.push({ group, running: await runGroup({ group, config: this.config, databaseUrl, exchange: exchange.endOf(group, this.#settings.roles) }) });
    }
  }

  async #stopInside(): Promise<void> {
    for (const { running } of this.#inProcess) await running.stop();
  }

  /** From reception to who serves queries. While nobody does, the peer is left without an answer, and tries again. */
  #passOn(message: AssociationMessage, socket: Socket): void {
    const taker = this.#processes.find(({ serves, ready }) => serves('retrieve') && ready);
    if (!taker?.pass(message, socket)) socket.destroy();
  }

  #writeState(): void {
    if (!this.#folder || !this.#database || !this.#health) return;
    const beside = this.#processes.flatMap(({ name, pid, ready, restarts }): RunningProcess[] =>
      pid === undefined || !ready ? [] : [{ name, pid, restarts, identity: ready.identity, healthPort: ready.healthPort, controlSecret: ready.controlSecret }],
    );
    writeRunState(this.#folder.runFolder, {
      startedAt: this.#startedAt,
      healthPort: this.#settings.healthPort,
      databaseUrl: this.#database.url,
      endpoints: endpointsOf(this.config),
      processes: [{ name: 'supervisor', pid: process.pid, identity: processIdentity(), restarts: 0 }, ...beside],
    });
  }

  #warnOfOpenListeners(listeners: readonly Listener[]): void {
    const warn = (): void => {
      for (const { name, host, port } of openListeners(listeners)) {
        this.log.warn({ host, port, setting: 'unsafeListen' }, `UNSAFE: the ${name} can be reached from other machines and nobody has to sign in`);
      }
    };
    warn();
    this.#warning = setInterval(warn, WARNING_INTERVAL_MS);
    this.#warning.unref();
  }

  #within(deadlineMs: number, work: Promise<void> | undefined): Promise<void> {
    return Promise.race([work ?? Promise.resolve(), this.#clock.sleep(deadlineMs)]);
  }
}
