// Starts the acceptor process and asks it for its figures.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { spawnSource } from '@perennia/testing';
import type { Measurement } from './acceptor-process.js';

export class AcceptorUnderTest {
  private constructor(private readonly child: ReturnType<typeof spawnSource>, readonly port: number) {}

  static async start(): Promise<AcceptorUnderTest> {
    const child = spawnSource(fileURLToPath(new URL('./acceptor-process.ts', import.meta.url)), [], {});
    const [message] = (await once(child, 'message')) as [{ port: number }];
    return new AcceptorUnderTest(child, message.port);
  }

  async measure(): Promise<Measurement> {
    this.child.send('measure');
    const [measurement] = (await once(this.child, 'message')) as [Measurement];
    return measurement;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}
