// What an area must remember beside its segments (`area.json`): which generations may have been given out, and which segments were
// released but not yet written again. Replaced as a whole: temporary file, fsync, rename, folder fsync.
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError, CorruptDataError, UnavailableError } from '@perennia/errors';
import { type FolderSync, asDiskError } from '@perennia/storage';

const FORMAT = 1;
/** Generations reserved at a time: a start skips what its predecessor did not use. */
const RESERVED = 1_000_000;

interface StoredState {
  format: number;
  generationLimit: number;
  released: [file: string, generation: number][];
}

export class AreaState {
  private readonly released: Map<string, number>;
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  private constructor(
    private readonly folder: string,
    private readonly folders: FolderSync,
    private generation: number,
    private limit: number,
    released: readonly [string, number][],
  ) {
    this.released = new Map(released);
  }

  /** @throws ConfigurationError when a newer program wrote it */
  static async load(folder: string, folders: FolderSync): Promise<AreaState> {
    let text: string;
    try {
      text = await readFile(join(folder, 'area.json'), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new AreaState(folder, folders, 1, 1, []);
      throw asDiskError(error, 'read the state of the landing area');
    }
    const state = parse(text);
    return new AreaState(folder, folders, state.generationLimit, state.generationLimit, state.released);
  }

  /** Makes sure that generations begin above `seen`, and reserves some. */
  async reserve(seen: number): Promise<void> {
    this.generation = Math.max(this.generation, seen + 1);
    this.limit = this.generation + RESERVED;
    await this.save();
  }

  /** The next one that will be given out. */
  get upcomingGeneration(): number {
    return this.generation;
  }

  nextGeneration(): number {
    if (this.generation >= this.limit) throw new UnavailableError('No generation is reserved for the next segment; the state file cannot be written.');
    if (this.limit - this.generation === RESERVED / 2) {
      const before = this.limit;
      this.limit += RESERVED;
      this.save().catch(() => {
        this.limit = before;
      });
    }
    return this.generation++;
  }

  isReleased(file: string, generation: number): boolean {
    return this.released.get(file) === generation;
  }

  /** Resolves when the release is durable. */
  release(file: string, generation: number): Promise<void> {
    this.released.set(file, generation);
    return this.save();
  }

  forget(file: string): void {
    this.released.delete(file);
  }

  /** One write serves all who came before it began. */
  private save(): Promise<void> {
    if (!this.running) return this.start();
    this.next ??= this.running.then(
      () => this.start(),
      () => this.start(),
    );
    return this.next;
  }

  private start(): Promise<void> {
    this.next = undefined;
    const turn = this.write().finally(() => {
      if (this.running === turn && !this.next) this.running = undefined;
    });
    this.running = turn;
    return turn;
  }

  private async write(): Promise<void> {
    const state: StoredState = { format: FORMAT, generationLimit: this.limit, released: [...this.released] };
    const temporary = join(this.folder, 'area.json.new');
    try {
      const file = await open(temporary, 'w');
      try {
        await file.writeFile(JSON.stringify(state));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, join(this.folder, 'area.json'));
      await this.folders.sync(this.folder);
    } catch (error) {
      throw asDiskError(error, 'write the state of the landing area');
    }
  }
}

function parse(text: string): StoredState {
  let state: StoredState;
  try {
    state = JSON.parse(text) as StoredState;
  } catch (error) {
    throw new CorruptDataError('The state file of the landing area cannot be read.', {
      cause: error,
      remedy: 'Move area.json away: generations then go on above those found in the segments.',
    });
  }
  if (state.format === FORMAT) return state;
  throw new ConfigurationError(`The landing area was written by a newer program (format ${state.format}).`, { remedy: 'Start that program.' });
}
