// One run of the `postgres` program: started, ready, stopped.
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { ConfigurationError, StoreFullError, UnavailableError } from '@perennia/errors';
import type { Clock, Logger } from '@perennia/telemetry';
import { serverEnvironment } from './initialise-cluster.js';
import type { ServerIdentity } from './server-identity.js';

/** A fast shutdown waits for the last checkpoint; after this it is made immediate, and the next start recovers. */
const FAST_SHUTDOWN_MS = 7_000;

export class ServerProcess {
  /** Settles when the server has ended, wanted or not. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  private tail = '';

  private constructor(private readonly child: ChildProcess, private readonly log: Logger, private readonly clock: Clock) {
    this.exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  }

  /** Resolves when connections are accepted. @throws ConfigurationError (port in use), StoreFullError, UnavailableError */
  static async start(postgres: string, serverArguments: readonly string[], identity: ServerIdentity, log: Logger, clock: Clock): Promise<ServerProcess> {
    const [program, ...args] = [...identity.prefix, postgres, ...serverArguments];
    const owner = identity.switchUser ? { uid: identity.uid, gid: identity.gid } : {};
    // A session of its own: Ctrl-C in the terminal must reach the archive, which stops the database last.
    const child = spawn(program!, args, { ...owner, env: serverEnvironment(), cwd: '/', detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    if (child.pid !== undefined) lowerPriority(child.pid);
    const server = new ServerProcess(child, log, clock);
    await server.becomeReady();
    return server;
  }

  get pid(): number {
    return this.child.pid!;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    this.child.ref();
    this.child.kill('SIGINT');
    const waiting = new AbortController();
    const late = this.clock.sleep(FAST_SHUTDOWN_MS, waiting.signal).then(() => 'late' as const);
    if ((await Promise.race([this.exited, late])) === 'late') this.child.kill('SIGQUIT');
    await this.exited;
    waiting.abort();
  }

  /** Lets this process end without stopping the server. */
  unref(): void {
    this.child.unref();
    (this.child.stderr as unknown as { unref(): void }).unref();
  }

  private becomeReady(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.child.once('error', (cause) => reject(new UnavailableError('PostgreSQL could not be started.', { cause })));
      this.child.once('close', (code) => reject(this.failure(code)));
      this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
        this.tail = (this.tail + text).slice(-4000);
        for (const line of text.split('\n')) if (line.trim()) this.log.debug({ line: line.trim() }, 'PostgreSQL');
        if (this.tail.includes('database system is ready to accept connections')) resolve();
      });
    });
  }

  private failure(code: number | null): Error {
    const details = { exitCode: code, complaint: this.tail.trim() };
    if (this.tail.includes('Address already in use')) {
      return new ConfigurationError('The port of the embedded database is in use.', { details, remedy: 'Choose another port, or none: then a Unix socket is used.' });
    }
    if (this.tail.includes('No space left on device')) return new StoreFullError('The disk is full: the database could not start.', { details });
    return new UnavailableError('PostgreSQL ended while starting.', { details });
  }
}

/**
 * Reception waits for no statement's processor time. Its processes inherit it; where the system shares processors between sessions first
 * (man 7 sched, autogroup), that of the session counts. Not allowed: only slower.
 */
function lowerPriority(pid: number): void {
  const priority = constants.priority.PRIORITY_BELOW_NORMAL;
  for (const lower of [() => setPriority(pid, priority), () => writeFileSync(`/proc/${pid}/autogroup`, String(priority))]) {
    try {
      lower();
    } catch {
      continue;
    }
  }
}
