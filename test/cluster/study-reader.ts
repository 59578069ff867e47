// Keeps reading studies that were acknowledged, as a viewer does: what fails is tried again twice, on another connection.
import type { Ledger } from '@perennia/testing';

const TRIES = 3;
const PAUSE_MS = 250;

export class StudyReader {
  reads = 0;
  readonly failures: string[] = [];
  private stopped = false;
  private running: Promise<void> | undefined;

  constructor(
    private readonly web: string,
    private readonly ledger: Ledger,
  ) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const studies = [...new Set(this.ledger.snapshot().filter(({ state }) => state === 'acknowledged').map(({ studyInstanceUid }) => studyInstanceUid))];
      const study = studies[this.reads % Math.max(1, studies.length)];
      if (study !== undefined) await this.read(study);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  private async read(study: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const failure = await this.tryOnce(study);
      this.reads += 1;
      if (failure === undefined) return;
      if (attempt === TRIES) return void this.failures.push(`${study}: ${failure}`);
      await new Promise((done) => setTimeout(done, PAUSE_MS * attempt));
    }
  }

  /** @returns why it failed; a study that is not indexed yet is no failure */
  private async tryOnce(study: string): Promise<string | undefined> {
    try {
      const response = await fetch(`${this.web}/studies/${study}`, {
        headers: { accept: 'multipart/related; type="application/dicom"; transfer-syntax=*', connection: 'close' }, signal: AbortSignal.timeout(30_000),
      });
      await response.arrayBuffer();
      return response.status === 200 || response.status === 404 ? undefined : `answered ${response.status}`;
    } catch (error) {
      return String((error as Error).cause ?? error);
    }
  }
}
