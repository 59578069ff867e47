// Starts the acceptor process and asks it for its figures.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { spawnSource } from '@perennia/testing';
import type { Measurement } from './acceptor-process.js';

/** As the product runs the process that receives: they bound how much garbage gathers while both cores are busy. */
const NODE_OPTIONS = '--max-semi-space-size=4 --max-old-space-size=512';

export class AcceptorUnderTest {
  private constructor(private readonly child: ReturnType<typeof spawnSource>, readonly port: number) {}

  static async start(): Promise<AcceptorUnderTest> {
    const child = spawnSource(fileURLToPath(new URL('./acceptor-process.ts', import.meta.url)), [], { NODE_OPTIONS });
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
