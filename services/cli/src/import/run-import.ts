// An import: files are sent over a few connections while more are found. Refused files do not stop it; an archive that does not
// take anything is waited for, then given up.
import type { Clock } from '@perennia/telemetry';
import { findFiles, type FoundFile } from './find-files.js';
import type { ImportJournal } from './import-journal.js';
import type { SendOutcome } from './stow-client.js';

export interface ImportSummary {
  found: number;
  foundBytes: number;
  stored: number;
  storedBytes: number;
  alreadyDone: number;
  skipped: Record<string, number>;
  refused: Record<string, number>;
  failed: Record<string, number>;
  /** The first files of each kind, so that a person can look at them. */
  examples: { path: string; reason: string }[];
  seconds: number;
}

export interface ImportOptions {
  source: string;
  connections: number;
  dryRun: boolean;
  clock: Clock;
  send: (file: FoundFile) => Promise<SendOutcome>;
  journal: Pick<ImportJournal, 'has' | 'add'>;
  onProgress?: (summary: ImportSummary) => void;
}

const EXAMPLES = 20;
/** Tries of a file while the archive is full, restarting or away. */
const TRIES = 6;
const FIRST_PAUSE_MS = 500;

export async function runImport(options: ImportOptions): Promise<ImportSummary> {
  const { source, connections, clock, journal } = options;
  const startedMs = clock.monotonicMs();
  const summary: ImportSummary = {
    found: 0, foundBytes: 0, stored: 0, storedBytes: 0, alreadyDone: 0, skipped: {}, refused: {}, failed: {}, examples: [], seconds: 0,
  };
  const files = findFiles(source);
  // Several workers take turns at one generator: its `next` calls queue up by themselves.
  const work = async (): Promise<void> => {
    for (let next = await files.next(); !next.done; next = await files.next()) {
      const found = next.value;
      if ('skipped' in found) countReason(summary, 'skipped', found.skipped.path, found.skipped.reason);
      else await take(found.file);
      summary.seconds = (clock.monotonicMs() - startedMs) / 1000;
      options.onProgress?.(summary);
    }
  };
  const take = async (file: FoundFile): Promise<void> => {
    summary.found += 1;
    summary.foundBytes += file.sizeBytes;
    if (journal.has(file)) summary.alreadyDone += 1;
    else if (!options.dryRun) record(file, await sendPatiently(file, options));
  };
  const record = (file: FoundFile, result: SendOutcome): void => {
    if (result.outcome !== 'stored') return countReason(summary, result.outcome, file.path, result.reason);
    journal.add(file);
    summary.stored += 1;
    summary.storedBytes += file.sizeBytes;
  };
  await Promise.all(Array.from({ length: connections }, work));
  return summary;
}

async function sendPatiently(file: FoundFile, { send, clock }: ImportOptions): Promise<SendOutcome> {
  let result = await send(file);
  for (let attempt = 1; attempt < TRIES && result.outcome === 'failed'; attempt++) {
    await clock.sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1));
    result = await send(file);
  }
  return result;
}

function countReason(summary: ImportSummary, kind: 'skipped' | 'refused' | 'failed', path: string, reason: string): void {
  summary[kind][reason] = (summary[kind][reason] ?? 0) + 1;
  if (kind !== 'skipped' && summary.examples.length < EXAMPLES) summary.examples.push({ path, reason });
}

export const total = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((sum, count) => sum + count, 0);
