// The data folder at start: no newer release made it what it is, it can be written, has room, and no other instance works in it.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatSizeBytes } from '@perennia/config';
import { ConfigurationError, ConflictError, StoreFullError } from '@perennia/errors';
import { isProcessAlive, processIdentity } from '@perennia/storage';
import { assertKnownFormat, markFormat } from './data-format.js';

const LOCK_FILE = 'archive.lock';
const MIB = 2 ** 20;

export class DataFolder {
  private constructor(readonly path: string) {}

  /** @throws ConfigurationError (too new, not writable), StoreFullError (no room), ConflictError (another instance is running) */
  static take(folder: string, minimumFreeBytes: number): DataFolder {
    const path = resolve(folder);
    assertKnownFormat(path);
    assertWritable(path);
    assertRoom(path, minimumFreeBytes);
    lock(path);
    return new DataFolder(path);
  }

  /** To be called when the database is up to date, before anything writes here. */
  markFormat(): void {
    markFormat(this.path);
  }

  /** Folder for what is only true while the archive runs. */
  get runFolder(): string {
    return join(this.path, 'run');
  }

  release(): void {
    rmSync(join(this.path, LOCK_FILE), { force: true });
  }
}

function assertWritable(path: string): void {
  const probe = join(path, `.probe-${process.pid}`);
  try {
    mkdirSync(join(path, 'run'), { recursive: true, mode: 0o700 });
    writeFileSync(probe, 'x', { flush: true });
    rmSync(probe);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw diskFull(path, cause);
    throw new ConfigurationError(`The data folder ${path} cannot be written (${code})`, {
      cause,
      remedy: 'Give this user write permission there, or choose another folder with VNA_DATA',
    });
  }
}

function assertRoom(path: string, minimumFreeBytes: number): void {
  const { bavail, bsize } = statfsSync(path);
  const freeBytes = bavail * bsize;
  if (freeBytes < minimumFreeBytes) throw diskFull(path, undefined, `: ${formatSizeBytes(Math.floor(freeBytes / MIB) * MIB)} free, ${formatSizeBytes(minimumFreeBytes)} needed`);
}

const diskFull = (path: string, cause: unknown, figures = ''): StoreFullError =>
  new StoreFullError(`The disk of the data folder ${path} is full${figures}`, { cause, remedy: 'Free space on it, or choose another folder with VNA_DATA' });

/** The lock names its owner (pid, start time, boot): what a killed instance left behind is told from a living one. */
function lock(path: string): void {
  const file = join(path, LOCK_FILE);
  const own = `${file}.${process.pid}`;
  writeFileSync(own, processIdentity());
  try {
    while (!tryLink(own, file)) removeStale(path, file);
  } finally {
    rmSync(own, { force: true });
  }
}

function tryLink(own: string, file: string): boolean {
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function removeStale(path: string, file: string): void {
  const owner = readLock(file);
  if (owner !== '' && isProcessAlive(owner)) throw inUse(path, owner);
  // Moved away first: of two starts that both saw a stale lock only one moves the stale one; the other moves a fresh one and puts it back.
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = readLock(aside);
  if (moved !== owner && isProcessAlive(moved)) {
    tryLink(aside, file);
    rmSync(aside, { force: true });
    throw inUse(path, moved);
  }
  rmSync(aside, { force: true });
}

function readLock(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

const inUse = (path: string, owner: string): ConflictError =>
  new ConflictError(`The data folder ${path} is in use by a running archive (process ${owner.split('.')[0]})`, {
    remedy: 'Stop that one first, or choose another folder with VNA_DATA',
  });
