// A server of a test as a local process: started, waited for, killed, started again on the same data. It ends with the test process, however
// that ends.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { ServerProcess, ServerProcessOptions } from './server-process.js';

export interface LocalProcessOptions extends ServerProcessOptions {
  command: string;
  parameters: readonly string[];
}

const READY_WITHIN_MS = 60_000;
/** util-linux: the kernel ends the child when its parent is gone. */
const endsWithParent = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;

export class LocalProcess implements ServerProcess {
  private readonly logFile: string;
  private child: ChildProcess | undefined;

  constructor(private readonly options: LocalProcessOptions) {
    this.logFile = join(options.directory, 'server.log');
  }

  async start(): Promise<void> {
    const { logFile } = this;
    const { command, parameters, environment } = this.options;
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

  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  remove(): Promise<void> {
    return this.kill();
  }

  private async isReady(): Promise<boolean> {
    const { readyLine, port } = this.options;
    if (readyLine !== undefined && !readFileSync(this.logFile, 'utf8').includes(readyLine)) return false;
    return portAnswers(port);
  }
}

export function portAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
