// Cuts the power under the running product: everything is stopped in mid-flight, the disk image is copied as it is, and a second
// product is started on the copy. Whatever was acknowledged before the stop must be there. kill -9 alone proves nothing about
// fsync, since the kernel still writes its cache out.
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PromiseChecker, type CheckReport } from './checker.js';
import { Ledger } from './ledger.js';
import { Product } from './product.js';
import { SeededRandom } from './seeded-random.js';
import { PromiseSender } from './sender.js';

const script = join(resolve(fileURLToPath(new URL('.', import.meta.url)), '../../../..'), 'tools/powercut.sh');

export interface PowerCut {
  cut: number;
  seed: number;
  report: CheckReport;
  recoveryMs: number;
}

export interface PowerCutsOptions {
  /** Scratch folder; the disk image and its copies are made in it. */
  directory: string;
  seed: number;
  /** When everything acknowledged must be findable after a cut. @default 20 s */
  findableWithinMs?: number;
  environment?: Record<string, string>;
}

export class PowerCuts {
  private readonly disk: string;
  private readonly ledger: Ledger;
  private product: Product | undefined;
  private readonly random: SeededRandom;

  constructor(private readonly options: PowerCutsOptions) {
    this.disk = join(options.directory, 'disk');
    this.ledger = new Ledger(join(options.directory, 'ledger.jsonl'));
    this.random = new SeededRandom(options.seed);
  }

  async start(sizeText = '3G'): Promise<void> {
    execFileSync('bash', [script, 'disk', this.disk, sizeText]);
    this.product = await Product.start({ dataDirectory: join(this.disk, 'data'), logFile: '', environment: this.options.environment });
  }

  /** Sends for a random while, cuts, and checks what a machine would find after the power came back. */
  async cut(number: number): Promise<PowerCut> {
    const product = this.product!;
    const seed = this.random.next(0x7fffffff);
    this.ledger.forget();
    const sender = new PromiseSender({
      dicomPort: product.dicomPort,
      web: product.web,
      ledger: this.ledger,
      root: `1.2.826.0.1.3680043.10.2.${Date.now()}.${this.random.next(100000)}`,
      seed,
      largeEvery: 80,
    });
    sender.start();
    await new Promise((done) => setTimeout(done, 200 + this.random.next(1500)));
    product.signalAll('SIGSTOP');
    // Answers that left before the stop may still be on their way to the sender.
    await new Promise((done) => setTimeout(done, 50));
    const promised = this.ledger.snapshot();
    const copy = join(this.options.directory, 'copy');
    execFileSync('bash', [script, 'cut', this.disk, copy]);
    product.signalAll('SIGCONT');
    await sender.stop();
    try {
      return await this.checkCopy(copy, promised, number, seed);
    } finally {
      await drop(copy);
    }
  }

  private async checkCopy(copy: string, promised: ReturnType<Ledger['snapshot']>, cut: number, seed: number): Promise<PowerCut> {
    forgetLivingOwners(join(copy, 'data'));
    const startedMs = performance.now();
    // What is stored in the cut machine stays stored: its mutants must not repair anything, so the reader runs without them.
    const { VNA_MUTANT: _mutant, ...environment } = this.options.environment ?? {};
    // It is only read from: one process starts sooner than four.
    const revived = await Product.start({ dataDirectory: join(copy, 'data'), environment: { ...environment, VNA_PROCESSES: '1' } });
    const recoveryMs = Math.round(performance.now() - startedMs);
    try {
      return { cut, seed, recoveryMs, report: await new PromiseChecker(revived.web).check(promised, this.options.findableWithinMs ?? 20_000) };
    } finally {
      await revived.killAll();
    }
  }

  async stop(): Promise<void> {
    this.ledger.close();
    await this.product?.stop();
    await drop(this.disk);
  }
}

/**
 * Locks name a process by pid, start time and boot. After a real power cut the boot is another one and they are void; here the
 * machine that was cut goes on living beside its copy, so they are removed.
 */
function forgetLivingOwners(dataDirectory: string): void {
  rmSync(join(dataDirectory, 'run'), { recursive: true, force: true });
  rmSync(join(dataDirectory, 'archive.lock'), { force: true });
  rmSync(join(dataDirectory, 'postgres', 'cluster', 'postmaster.pid'), { force: true });
  const landing = join(dataDirectory, 'landing');
  for (const area of readdirSync(landing)) {
    for (const file of readdirSync(join(landing, area))) if (file.startsWith('owner.lock')) rmSync(join(landing, area, file));
  }
}

/** A process that was killed may hold its files for a moment longer than it can be seen. */
async function drop(folder: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      execFileSync('bash', [script, 'drop', folder], { stdio: 'pipe' });
      return;
    } catch (error) {
      if (attempt === 50) throw error;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}
