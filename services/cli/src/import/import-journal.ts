// What of an import is done, so that an interrupted one goes on where it was. One line per stored file, keyed by path, size and
// time of change; the file is removed when an import ended with nothing left over.
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { FoundFile } from './find-files.js';

const lineOf = ({ path, sizeBytes, modifiedMs }: FoundFile): string => JSON.stringify([path, sizeBytes, Math.floor(modifiedMs)]);

export class ImportJournal {
  readonly #done: Set<string>;
  readonly #file: string;
  readonly #handle: number;

  /** @param source what is imported, as an absolute path */
  constructor(dataPath: string, source: string) {
    const folder = join(dataPath, 'imports');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#file = join(folder, `${createHash('sha256').update(source).digest('hex').slice(0, 24)}.jsonl`);
    // A line cut short by a kill matches no file: that file is sent again, which is harmless.
    this.#done = new Set(existsSync(this.#file) ? readFileSync(this.#file, 'utf8').split('\n') : []);
    this.#handle = openSync(this.#file, 'a', 0o600);
  }

  has(file: FoundFile): boolean {
    return this.#done.has(lineOf(file));
  }
  add(file: FoundFile): void {
    writeSync(this.#handle, `${lineOf(file)}\n`);
  }
  close(options: { forget: boolean }): void {
    closeSync(this.#handle);
    if (options.forget) rmSync(this.#file, { force: true });
  }
}
