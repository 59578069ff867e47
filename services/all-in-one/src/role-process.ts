// One process of the archive under supervision: started, watched, started again with growing pauses when it dies, stopped in
// order. A process that dies before it was ever ready ends the start instead: that is a setting, not an accident.
import { fork, type ChildProcess } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Clock, Logger } from '@perennia/telemetry';
import type { Socket } from 'node:net';
import { isAssociationMessage, type AssociationMessage } from './association-message.js';
import type { ProcessGroup, RoleName } from './process-groups.js';
import type { RoleMessage } from './role-message.js';
import { StartFailedError } from './start-failed-error.js';

const ENTRY = fileURLToPath(new URL('./role-main.js', import.meta.url));
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** A landing area with a long backlog is listed before its process is ready. */
const START_DEADLINE_MS = 10 * 60_000;
/**
 * What V8 may gather before it collects. Young, in MiB: received bytes do not live in the heap (ADR 9), so little of it is enough; the web,
 * whose HTTP parser makes a buffer of 64 KiB of each read, gets the same ones back sooner, still in the cache, the smaller it is. Old, in MiB:
 * from its bound V8 derives how much garbage may be in the heap and in buffers; 512 instead of 768 costs reception a tenth, 2048 the
 * memory of the whole archive a third more. Growth, in percent: with V8's own the web marked its whole heap after each 100 CT it was sent, and
 * reception the same after each 1400 small objects, a quarter of its processor time (ADR 13).
 */
function generationsOf({ roles }: ProcessGroup): { young: number; old: number; growth: number } {
  if (roles.includes('dicomweb')) return { young: 1, old: 1024, growth: 50 };
  return roles.includes('ingest') ? { young: 4, old: 768, growth: 100 } : { young: 2, old: 512, growth: 50 };
}

function nodeOptionsOf(group: ProcessGroup): string[] {
  const { young, old, growth } = generationsOf(group);
  const heap = [`--max-semi-space-size=${young}`, `--max-old-space-size=${old}`, `--heap-growing-percent=${growth}`];
  const further = [...(group.roles.includes('ingest') ? SOON_WARM : []), ...(group.roles.includes('dicomweb') ? BODIES_AS_HEAP : [])];
  return [...heap, ALL_YOUNG, ...further, `--v8-pool-size=${POOL_THREADS}`, '--no-warnings'];
}
/**
 * Everything begins young. V8 lets what is made at a place be old from the start once much that was made there lived long; whether that
 * happens to what an object is parsed into is chance, and where it did, a process collected twice as much for the rest of its life.
 */
const ALL_YOUNG = '--no-allocation-site-pretenuring';
/** Code is watched from its first run on, and so compiled well sooner. In the web it would cost downloads more than it gives. */
const SOON_WARM = ['--no-lazy-feedback-allocation'];
/** Buffers of uploads count like the heap; otherwise each 64 MiB that the HTTP parser makes of them have all of it marked, 170 CT. Half as often so. */
const BODIES_AS_HEAP = ['--external-memory-accounted-in-global-limit'];
/** Threads of V8 beside the main one, for its garbage and its compiler. With four, marking takes all processors for up to 15 ms from who receives. */
const POOL_THREADS = 1;
/** Work that can wait must not keep a sender waiting for a processor: a thread of it may hold one for 3 to 17 ms (measured, ADR 12). */
const WAITING_PRIORITY = constants.priority.PRIORITY_BELOW_NORMAL;
/** Of the C library: what is large goes back to the system when it is freed, instead of leaving holes (man 3 mallopt). */
const ALLOCATION = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: String(256 * 1024), MALLOC_TRIM_THRESHOLD_: String(2 * 1024 * 1024) };

export interface RoleProcessOptions {
  group: ProcessGroup;
  environment: () => NodeJS.ProcessEnv;
  log: Logger;
  clock: Clock;
  onChange: () => void;
  /** It gives an association away. */
  onAssociation: (message: AssociationMessage, socket: Socket) => void;
}

export class RoleProcess {
  #child: ChildProcess | undefined;
  #ready: { identity: string; healthPort: number; controlSecret: string } | undefined;
  readonly #stopping = new AbortController();
  #pauseMs = FIRST_PAUSE_MS;
  #lives = 0;

  constructor(private readonly options: RoleProcessOptions) {}

  get name(): string {
    return this.options.group.name;
  }
  /** Whether the role runs in it. */
  serves = (role: RoleName): boolean => this.options.group.roles.includes(role);
  get pid(): number | undefined {
    return this.#child?.pid;
  }
  /** Who it is and where its health endpoints answer, while it is ready. */
  get ready(): { identity: string; healthPort: number; controlSecret: string } | undefined {
    return this.#ready;
  }
  get restarts(): number {
    return Math.max(0, this.#lives - 1);
  }

  /** Resolves when it is ready. @throws StartFailedError with what the process said */
  async start(): Promise<void> {
    const child = this.#fork();
    await this.#whenReady(child);
    void this.#watch(child);
  }

  /** Sends an association to it. @returns false when it is not there */
  pass(message: AssociationMessage, socket: Socket): boolean {
    if (this.#child?.connected !== true) return false;
    // What `send` returns tells whether it waits for the one before, not whether it is sent.
    this.#child.send(message, socket, (error) => void (error && socket.destroy()));
    return true;
  }

  /** Asks it to end; after the deadline it is killed, which loses nothing that was acknowledged. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (!child || hasEnded(child)) return;
    const deadline = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
    child.kill('SIGTERM');
    await ended(child);
    clearTimeout(deadline);
  }

  #fork(): ChildProcess {
    const { group, environment } = this.options;
    this.#lives += 1;
    this.#ready = undefined;
    const child = fork(ENTRY, [group.name], { execArgv: nodeOptionsOf(group), env: { ...ALLOCATION, ...this.#environment(environment()) }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    // At once: threads that it starts later inherit it. A process that ended already is reported elsewhere.
    if (child.pid !== undefined && !group.receives) lowerPriority(child.pid);
    this.#child = child;
    return child;
  }

  /** An armed fault point strikes a process once; its next life is to show the recovery. */
  #environment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    const { VNA_FAIL: fault, ...rest } = environment;
    return this.#lives === 1 && fault !== undefined ? { ...rest, VNA_FAIL: fault } : rest;
  }

  #whenReady(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (message: string, remedy?: string, retriable = false): void => {
        clearTimeout(deadline);
        reject(new StartFailedError({ message, remedy, retriable }));
      };
      const deadline = setTimeout(() => {
        child.kill('SIGKILL');
        fail(`The process "${this.name}" was not ready within ${START_DEADLINE_MS / 1000} s`);
      }, START_DEADLINE_MS);
      child.on('message', (message: RoleMessage | AssociationMessage, socket: unknown) => {
        if (isAssociationMessage(message)) return socket ? this.options.onAssociation(message, socket as Socket) : undefined;
        if (message.kind === 'failed') return fail(message.failure.message, message.failure.remedy, message.failure.retriable);
        clearTimeout(deadline);
        this.#ready = message;
        this.options.onChange();
        resolve();
      });
      child.once('exit', (code, signal) => fail(`The process "${this.name}" ended while it started (${signal ?? `exit code ${code}`})`));
    });
  }

  async #watch(child: ChildProcess): Promise<void> {
    const { clock, log, onChange } = this.options;
    const { signal } = this.#stopping;
    for (let current = child; ; ) {
      const ending = await ended(current);
      // Whatever was ready once starts again at once; pauses grow for what dies while it starts.
      if (this.#ready) this.#pauseMs = FIRST_PAUSE_MS;
      this.#ready = undefined;
      if (signal.aborted) return;
      onChange();
      log.error({ process: this.name, ...ending, pauseMs: this.#pauseMs }, 'A process of the archive ended; it is started again');
      await clock.sleep(this.#pauseMs, signal);
      if (signal.aborted) return;
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
      current = this.#fork();
      await this.#whenReady(current).catch((err: unknown) => log.error({ process: this.name, err }, 'A process of the archive could not start again'));
    }
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

function ended(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  if (hasEnded(child)) return Promise.resolve({ code: child.exitCode, signal: child.signalCode });
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, WAITING_PRIORITY);
  } catch {
    // Only slower.
  }
}
