// Makes names durable. A file is only there after a power cut when the folder that names it was synced; one sync serves all who wait.
import { close, fsync, open } from 'node:fs';
import { promisify } from 'node:util';
import { mutant } from '@perennia/fault-points';

const openFile = promisify(open);
const closeFile = promisify(close);
const syncFile = promisify(fsync);

interface Turn {
  running: Promise<void>;
  /** For those who came while it ran: what they did may have missed it. */
  next: Promise<void> | undefined;
}

export class FolderSync {
  private readonly turns = new Map<string, Turn>();

  /** Resolves when every change that was made to the folder before this call is durable. */
  sync(folder: string): Promise<void> {
    const turn = this.turns.get(folder);
    if (!turn) return this.start(folder);
    turn.next ??= turn.running.then(
      () => this.start(folder),
      () => this.start(folder),
    );
    return turn.next;
  }

  private start(folder: string): Promise<void> {
    const turn: Turn = { running: syncOnce(folder), next: undefined };
    this.turns.set(folder, turn);
    const finished = (): void => {
      if (!turn.next && this.turns.get(folder) === turn) this.turns.delete(folder);
    };
    turn.running.then(finished, finished);
    return turn.running;
  }
}

async function syncOnce(folder: string): Promise<void> {
  if (mutant('skip-folder-fsync')) return;
  const descriptor = await openFile(folder, 'r');
  try {
    await syncFile(descriptor);
  } finally {
    await closeFile(descriptor);
  }
}
