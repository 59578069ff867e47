// The real product in processes of its own, started as `npm start` starts it, on ports and a folder of its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = resolve(fileURLToPath(new URL('.', import.meta.url)), '../../../..');

export interface ProductOptions {
  dataDirectory: string;
  /** Root of a built checkout; default this one. */
  checkout?: string;
  environment?: Record<string, string>;
  /** Where its log goes; default `<dataDirectory>.log`. */
  logFile?: string;
}

const FIRST_PORT = 12_000;
const PORTS_A_WORKER = 10_000;
/** Of this process: a port is free until whoever it was for listens. */
const given = new Set<number>();

/**
 * Below the range the system takes for outgoing connections (32768 on), so that the port is still free at a restart. Of two test files that run at
 * once each has ports of its own.
 */
export async function freePort(): Promise<number> {
  const worker = (Number(process.env['JEST_WORKER_ID'] ?? 1) - 1) % 2;
  for (;;) {
    const port = FIRST_PORT + worker * PORTS_A_WORKER + Math.floor(Math.random() * PORTS_A_WORKER);
    if (given.has(port)) continue;
    const server = createServer();
    const free = await new Promise<boolean>((done) => {
      server.once('error', () => done(false));
      server.listen(port, '127.0.0.1', () => done(true));
    });
    if (!free) continue;
    given.add(port);
    await new Promise((done) => server.close(done));
    return port;
  }
}

export class Product {
  private child: ChildProcess | undefined;
  private readonly failFile: string;
  private log = '';

  private constructor(
    readonly options: ProductOptions,
    readonly dicomPort: number,
    readonly httpPort: number,
    readonly healthPort: number,
  ) {
    this.failFile = `${options.dataDirectory}.fail`;
  }

  /** Starts and waits until it answers. */
  static async start(options: ProductOptions): Promise<Product> {
    const product = new Product(options, await freePort(), await freePort(), await freePort());
    await product.restart();
    return product;
  }

  get web(): string {
    return `http://127.0.0.1:${this.httpPort}/dicom-web`;
  }

  get supervisorPid(): number {
    return this.child!.pid!;
  }

  /** Everything the product wrote so far. */
  get output(): string {
    return this.log;
  }

  /** @param readyWhen `receiving`: for a start while something that indexing needs is away */
  async restart({ readyWhen = 'all', environment = {} }: { readyWhen?: 'all' | 'receiving'; environment?: Record<string, string> } = {}): Promise<void> {
    mkdirSync(this.options.dataDirectory, { recursive: true });
    writeFileSync(this.failFile, '');
    const checkout = this.options.checkout ?? repository;
    this.child = spawn(join(checkout, 'node_modules/.bin/node'), [join(checkout, 'services/all-in-one/dist/main.js')], {
      cwd: checkout,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: `${join(checkout, 'node_modules/.bin')}:${process.env['PATH']}`,
        HOME: process.env['HOME'] ?? '/tmp',
        VNA_DATA: this.options.dataDirectory,
        VNA_INGEST_PORT: String(this.dicomPort),
        VNA_DICOMWEB_PORT: String(this.httpPort),
        VNA_HEALTH_PORT: String(this.healthPort),
        VNA_TEST_BUILD: '1',
        VNA_FAIL_FILE: this.failFile,
        ...this.options.environment,
        ...environment,
      },
    });
    const keep = (chunk: Buffer): void => {
      this.log = (this.log + chunk.toString()).slice(-400_000);
    };
    this.child.stdout!.on('data', keep);
    this.child.stderr!.on('data', keep);
    await this.untilReady(60_000, readyWhen);
  }

  /** @throws when it ended or is not ready within 60 s */
  async untilReady(timeoutMs = 60_000, what: 'all' | 'receiving' = 'all'): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline) {
      if (this.child!.exitCode !== null) break;
      if (await this.isReady(what)) return;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`The product is not ready. Its last words:\n${this.log.slice(-6000)}`);
  }

  async isReady(what: 'all' | 'receiving' = 'all'): Promise<boolean> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.healthPort}/readyz`, { signal: AbortSignal.timeout(2000) });
      const { ok, checks } = (await answer.json()) as { ok: boolean; checks: Record<string, { ok: boolean }> };
      return what === 'all' ? ok : checks['ingest']?.ok === true;
    } catch {
      return false;
    }
  }

  /** The pids of the supervisor and everything below it, PostgreSQL included. */
  processes(): { pid: number; command: string }[] {
    const found: { pid: number; command: string }[] = [];
    const visit = (pid: number): void => {
      const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
      if (command === '') return;
      found.push({ pid, command });
      for (const task of read(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean)) visit(Number(task));
    };
    visit(this.supervisorPid);
    return found;
  }

  roleProcesses(): { pid: number; command: string }[] {
    return this.processes().filter(({ pid, command }) => pid !== this.supervisorPid && command.includes('all-in-one') && !command.includes('postgres'));
  }

  signalAll(signal: NodeJS.Signals): void {
    for (const { pid } of this.processes()) tryKill(pid, signal);
  }

  /** Arms a fault point in every role process, or in those of some process groups. */
  arm(fault: string, groups?: readonly string[]): void {
    writeFileSync(this.failFile, fault);
    for (const { pid, command } of this.roleProcesses()) if (groups?.some((name) => command.endsWith(` ${name}`)) ?? true) tryKill(pid, 'SIGUSR2');
  }

  /** How many faults have fired since the folder was made. */
  firedCount(): number {
    return existsSync(`${this.failFile}.fired`) ? readFileSync(`${this.failFile}.fired`, 'utf8').split('\n').length - 1 : 0;
  }

  /** Resolves when every process is gone, PostgreSQL's too: nothing holds the data folder any more. */
  async killAll(): Promise<void> {
    const victims = this.processes();
    const ended = this.ended();
    this.signalAll('SIGKILL');
    await ended;
    for (const { pid } of victims) while (existsSync(`/proc/${pid}/cwd`) && read(`/proc/${pid}/cmdline`) !== '') await new Promise((done) => setTimeout(done, 10));
  }

  /** Stops in order, as Ctrl-C does. @returns how long it took in milliseconds */
  async stop(): Promise<number> {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return 0;
    const startedMs = Date.now();
    const ended = this.ended();
    this.child.kill('SIGINT');
    const timer = setTimeout(() => this.signalAll('SIGKILL'), 20_000);
    await ended;
    clearTimeout(timer);
    return Date.now() - startedMs;
  }

  private ended(): Promise<void> {
    const child = this.child!;
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((done) => child.once('exit', () => done()));
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
/** A process that has just ended needs no signal. */
function tryKill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
