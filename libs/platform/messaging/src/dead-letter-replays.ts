// Does the replays that administrators ask for, in the process whose handler gave up. What is unavailable is waited for.
import { ArchiveError } from '@perennia/errors';
import type { Clock, Logger } from '@perennia/telemetry';
import type { DeadLetters } from './dead-letters.js';

const LOOK_EVERY_MS = 1000;

export class DeadLetterReplays {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly letters: DeadLetters,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.doRequested().catch((err: unknown) => this.log.debug({ err }, 'Requested replays cannot be looked for'));
      await this.clock.sleep(LOOK_EVERY_MS, this.stopping.signal);
    }
  }

  private async doRequested(): Promise<void> {
    for (const id of await this.letters.requested()) {
      if (this.stopping.signal.aborted) return;
      try {
        await this.letters.replay(id);
        this.log.info({ deadLetter: id }, 'A dead letter was replayed');
      } catch (error) {
        if (error instanceof ArchiveError && error.retriable) return;
        await this.letters.refuseReplay(id, error);
        this.log.warn({ deadLetter: id, code: error instanceof ArchiveError ? error.code : 'UNEXPECTED' }, 'A dead letter was replayed in vain');
      }
    }
  }
}
