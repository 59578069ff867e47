// Starts the product the way a person does and keeps what it says.
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join, resolve } from 'node:path';

export const repository = resolve(import.meta.dirname, '../..');
const node = join(repository, 'node_modules', '.bin', 'node');

export interface StartOptions {
  environment?: Record<string, string>;
  nodeArguments?: string[];
  /** Run as this user and group (needs root). */
  uid?: number;
}
export interface EndedStart {
  code: number | null;
  stderr: string;
  stdout: string;
}

export class StartProcess {
  stdout = '';
  stderr = '';
  readonly ended: Promise<EndedStart>;

  private static readonly running = new Set<StartProcess>();

  private constructor(readonly child: ChildProcess) {
    StartProcess.running.add(this);
    child.once('close', () => StartProcess.running.delete(this));
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((done) => child.once('close', (code) => done({ code, stderr: this.stderr, stdout: this.stdout })));
  }

  /** `npm start` without npm: ports and folders come from the given environment alone. */
  static run({ environment = {}, nodeArguments = [], uid }: StartOptions): StartProcess {
    return new StartProcess(
      spawn(node, [...nodeArguments, join(repository, 'tools', 'start.mjs')], {
        cwd: repository,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'], HOME: '/tmp', VNA_LOG_LEVEL: 'warn', ...environment },
        ...(uid === undefined ? {} : { uid, gid: uid }),
      }),
    );
  }

  /** @throws when it ended before it was ready */
  async untilReady(): Promise<void> {
    await new Promise<void>((done, fail) => {
      const look = (): void => {
        if (this.stderr.includes('Perennia is ready')) done();
      };
      this.child.stderr!.on('data', look);
      look();
      void this.ended.then(({ code, stderr }) => fail(new Error(`It ended with ${code}: ${stderr}`)));
    });
  }

  /** For the end of a test, however it ended. */
  static async stopAll(): Promise<void> {
    await Promise.all([...StartProcess.running].map((each) => each.stop()));
  }

  /** Ctrl-C. @returns how long it took */
  async stop(): Promise<number> {
    const startedMs = performance.now();
    this.child.kill('SIGINT');
    await this.ended;
    return performance.now() - startedMs;
  }
}

/** Holds a port of 127.0.0.1 until closed. */
export async function heldPort(): Promise<{ port: number; server: Server }> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { port: (server.address() as AddressInfo).port, server };
}

export async function freePorts(): Promise<Record<string, string>> {
  const held = await Promise.all([heldPort(), heldPort(), heldPort()]);
  for (const { server } of held) server.close();
  const [dicom, web, health] = held.map(({ port }) => String(port)) as [string, string, string];
  return { VNA_INGEST_PORT: dicom, VNA_DICOMWEB_PORT: web, VNA_HEALTH_PORT: health };
}
