// A server of a test in a container, with the network, the user and the folder that a local process would have: what it is told is the same.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { portAnswers } from './local-process.js';
import type { ServerProcess, ServerProcessOptions } from './server-process.js';

export interface ContainerProcessOptions extends ServerProcessOptions {
  image: string;
  entrypoint: readonly string[];
  parameters: readonly string[];
}

const READY_WITHIN_MS = 120_000;
const DOCKER_SOCKET = '/var/run/docker.sock';

/** Whether a container runtime runs here. VNA_TEST_CONTAINERS=0: it is not asked. */
export function haveContainers(): boolean {
  return process.env['VNA_TEST_CONTAINERS'] !== '0' && (process.env['DOCKER_HOST'] !== undefined || (isListening ??= answers(DOCKER_SOCKET)));
}

let isListening: boolean | undefined;

/** The socket of a daemon that was stopped may still be there. */
function answers(socket: string): boolean {
  if (!existsSync(socket)) return false;
  const script = `require('net').connect(${JSON.stringify(socket)}).on('connect', () => process.exit(0)).on('error', () => process.exit(1))`;
  return spawnSync(process.execPath, ['-e', script], { timeout: 5000 }).status === 0;
}

export class ContainerProcess implements ServerProcess {
  private id: string | undefined;

  constructor(private readonly options: ContainerProcessOptions) {}

  async start(): Promise<void> {
    if (this.id === undefined) this.id = await this.create(this.options);
    else await (await containerOf(this.id)).start();
    await this.untilReady();
  }

  async kill(): Promise<void> {
    if (this.id === undefined) return;
    const container = await containerOf(this.id);
    const { State } = await container.inspect();
    if (!State.Running) return;
    await container.kill({ signal: 'SIGKILL' });
    await container.wait();
  }

  async remove(): Promise<void> {
    if (this.id === undefined) return;
    await (await containerOf(this.id)).remove({ force: true, v: true });
    this.id = undefined;
  }

  private async create({ image, entrypoint, parameters, environment, directory }: ContainerProcessOptions): Promise<string> {
    const { GenericContainer, Wait } = await import('testcontainers');
    const started = await new GenericContainer(image)
      .withNetworkMode('host')
      .withUser(`${process.getuid!()}:${process.getgid!()}`)
      .withBindMounts([{ source: directory, target: directory, mode: 'rw' }])
      .withEnvironment({ ...environment })
      .withEntrypoint([...entrypoint])
      .withCommand([...parameters])
      // Ports are those of this machine: whether it serves is asked below, and after each start.
      .withWaitStrategy(Wait.forLogMessage(/[^]*/))
      .withStartupTimeout(READY_WITHIN_MS)
      .start();
    return started.getId();
  }

  private async untilReady(): Promise<void> {
    const { readyLine, port, image } = this.options;
    const container = await containerOf(this.id!);
    const words = async (): Promise<string> => (await container.logs({ stdout: true, stderr: true, tail: 200 })).toString();
    for (const deadline = Date.now() + READY_WITHIN_MS; ; await new Promise((done) => setTimeout(done, 100))) {
      const { State } = await container.inspect();
      if (!State.Running || Date.now() > deadline) throw new Error(`${image} is not ready: ${(await words()).slice(-2000)}`);
      if ((await portAnswers(port)) && (readyLine === undefined || (await words()).includes(readyLine))) return;
    }
  }
}

async function containerOf(id: string) {
  const { getContainerRuntimeClient } = await import('testcontainers');
  return (await getContainerRuntimeClient()).container.getById(id);
}
