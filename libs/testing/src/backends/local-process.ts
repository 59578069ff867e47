// A server of a test as a local process: started, waited for, killed, started again on the same data. It ends with the test process, however
// that ends.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';

export interface LocalProcessOptions {
  command: string;
  parameters: readonly string[];
  environment?: Record<string, string>;
  logFile: string;
  port: number;
  /** Said in its log when it serves; without it the open port is enough. */
  readyLine?: string;
}

const READY_WITHIN_MS = 60_000;
/** util-linux: the kernel ends the child when its parent is gone. */
const endsWithParent = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;

export class LocalProcess {
  private child: ChildProcess | undefined;

  constructor(private readonly options: LocalProcessOptions) {}

  /** @throws with its last words when it ends or is not ready in time */
  async start(): Promise<void> {
    const { command, parameters, environment, logFile } = this.options;
    const log = openSync(logFile, 'w');
    const [program, ...rest] = endsWithParent ? ['setpriv', '--pdeathsig', 'KILL', command, ...parameters] : [command, ...parameters];
    const child = spawn(program!, rest, { stdio: ['ignore', log, log], env: { ...process.env, ...environment } });
    closeSync(log);
    this.child = child;
    let failure: Error | undefined;
    child.once('error', (error) => (failure = error));
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!(await this.isReady())) {
      if (failure || child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`${command} is not ready: ${failure?.message ?? readFileSync(logFile, 'utf8').slice(-2000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  private async isReady(): Promise<boolean> {
    const { readyLine, logFile, port } = this.options;
    if (readyLine !== undefined && !readFileSync(logFile, 'utf8').includes(readyLine)) return false;
    return portAnswers(port);
  }
}

function portAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
