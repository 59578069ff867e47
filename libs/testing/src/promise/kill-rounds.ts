// Kills the product at a fault point, or at a random moment, while a sender keeps storing; then holds it to the ledger.
import { DicomRequestor } from '@perennia/dicom-net';
import { PromiseChecker, type CheckReport } from './checker.js';
import { Ledger } from './ledger.js';
import type { Product } from './product.js';
import { SeededRandom } from './seeded-random.js';
import { PromiseSender } from './sender.js';

/** K0…K16 of docs/promise.md. */
export const FAULT_POINTS = Array.from({ length: 17 }, (_, n) => `K${n}`);

export interface KillRound {
  point: string;
  round: number;
  seed: number;
  fired: boolean;
  report: CheckReport;
  durationMs: number;
}

export interface KillRoundsOptions {
  product: Product;
  ledgerFile: string;
  seed: number;
  /** When everything acknowledged must be findable after a round. @default 30 s */
  findableWithinMs?: number;
  /** Also send objects above the gathering limit. */
  largeEvery?: number;
}

/** How often a point is passed before it kills, at most: later points are passed less often. */
const REACH: Record<string, number> = { K0: 1, K1: 1, K10: 8, K11: 2, K12: 6, K13: 3, K14: 6, K15: 1, K16: 2 };
/** Filing passes K15 once a group of studies, which takes seconds on a slow machine whose senders leave it no pause. */
const STRIKES_WITHIN_MS = 60_000;

export class KillRounds {
  private readonly ledger: Ledger;
  private readonly random: SeededRandom;

  constructor(private readonly options: KillRoundsOptions) {
    this.ledger = new Ledger(options.ledgerFile);
    this.random = new SeededRandom(options.seed);
  }

  /** @param point `K0`…`K16`; `random`: one process at a random moment; `all`: every process, PostgreSQL too, then a start */
  async round(point: string, round: number): Promise<KillRound> {
    const startedMs = performance.now();
    const { product } = this.options;
    const seed = this.random.next(0x7fffffff);
    this.ledger.forget();
    const sender = new PromiseSender({
      dicomPort: product.dicomPort,
      web: product.web,
      ledger: this.ledger,
      root: `1.2.826.0.1.3680043.10.1.${Date.now()}.${this.random.next(100000)}`,
      seed,
      largeEvery: this.options.largeEvery ?? 60,
    });
    const firedBefore = product.firedCount();
    sender.start();
    await pause(100 + this.random.next(150));
    const fired = await this.strike(point, firedBefore);
    await pause(150);
    await sender.stop();
    await product.untilReady();
    const report = await new PromiseChecker(product.web).check(this.ledger.snapshot(), this.options.findableWithinMs);
    return { point, round, seed, fired, report, durationMs: Math.round(performance.now() - startedMs) };
  }

  private async strike(point: string, firedBefore: number): Promise<boolean> {
    const { product } = this.options;
    if (point === 'all') {
      await product.killAll();
      await product.restart();
      return true;
    }
    if (point === 'random') {
      const victims = product.processes().filter(({ pid }) => pid !== product.supervisorPid);
      process.kill(victims[this.random.next(victims.length)]!.pid, 'SIGKILL');
      return true;
    }
    product.arm(`${point}:kill:${1 + this.random.next(REACH[point] ?? 40)}`);
    const deadline = Date.now() + STRIKES_WITHIN_MS;
    while (product.firedCount() === firedBefore) {
      if (Date.now() > deadline) return false;
      await this.associate();
      await pause(20);
    }
    return true;
  }

  /** The first points are passed by new associations only. */
  private async associate(): Promise<void> {
    const contexts = [{ abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2'] }];
    const called = { host: '127.0.0.1', port: this.options.product.dicomPort, calledAet: 'PERENNIA' };
    const association = await DicomRequestor.connect({ ...called, callingAet: 'KNOCK', contexts, associateTimeoutMs: 1000 }).catch(() => undefined);
    await association?.release().catch(() => undefined);
  }

  close(): void {
    this.ledger.close();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
