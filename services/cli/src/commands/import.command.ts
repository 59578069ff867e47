// `vna import`: a folder, a file or a DICOMDIR into the running archive.
import { resolve } from 'node:path';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { SystemClock } from '@perennia/telemetry';
import { ArchiveAccess } from '../archive-access.js';
import { columns, formatBytes, formatCount, formatSeconds, printResult, type CommandOptions } from '../command-output.js';
import { findFiles } from '../import/find-files.js';
import { ImportJournal } from '../import/import-journal.js';
import { runImport, total, type ImportSummary } from '../import/run-import.js';
import { StowClient } from '../import/stow-client.js';

interface ImportCommandOptions extends CommandOptions {
  dryRun?: boolean;
  connections: number;
  progress: boolean;
}

const EXIT_REFUSED = 4;
const EXIT_FAILED = 5;

export function addImportCommand(program: Command): void {
  program
    .command('import')
    .description('Store a folder, a file or the files of a DICOMDIR; an interrupted import goes on where it was')
    .argument('<path>', 'folder, DICOM file or DICOMDIR')
    .option('--dry-run', 'only look: what would be sent, what would be skipped')
    .option('--connections <n>', 'files sent at once', Number, 8)
    .option('--no-progress', 'no progress bar')
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExit code: 0 all stored, ${EXIT_REFUSED} some refused, ${EXIT_FAILED} some could not be sent (run it again).\n\nExample:\n  npx vna import /media/cdrom/DICOMDIR`)
    .action(async (path: string, options: ImportCommandOptions) => {
      const summary = await importPath(resolve(path), options);
      printResult(options, summary, () => summaryLines(summary, options.dryRun === true));
      process.exitCode = total(summary.failed) > 0 ? EXIT_FAILED : total(summary.refused) > 0 ? EXIT_REFUSED : 0;
    });
}

async function importPath(source: string, options: ImportCommandOptions): Promise<ImportSummary> {
  const access = new ArchiveAccess();
  const dryRun = options.dryRun === true;
  if (!dryRun) access.requireRunning();
  const client = new StowClient(access.webUrl, options.connections);
  const journal = dryRun ? undefined : new ImportJournal(access.dataPath, source);
  const progress = options.progress && process.stderr.isTTY ? await ImportProgress.over(source) : undefined;
  let complete = false;
  try {
    const summary = await runImport({
      source,
      connections: options.connections,
      dryRun,
      clock: new SystemClock(),
      send: (file) => client.send(file),
      journal: journal ?? { has: () => false, add: () => {} },
      onProgress: (current) => progress?.update(current),
    });
    complete = total(summary.failed) === 0;
    return summary;
  } finally {
    progress?.stop();
    client.close();
    journal?.close({ forget: complete });
  }
}

/** Counts first (names and first bytes only), so that the time left can be told. */
class ImportProgress {
  readonly #bar = new SingleBar({ format: '{bar} {percentage}% | {files} of {total} files | {rate} files/s, {bytes}/s | {left} left', stream: process.stderr, hideCursor: true });

  static async over(source: string): Promise<ImportProgress> {
    let files = 0;
    for await (const found of findFiles(source)) if ('file' in found) files += 1;
    const progress = new ImportProgress();
    progress.#bar.start(files, 0, { files: 0, rate: 0, bytes: '0 B', left: '?' });
    progress.#total = files;
    return progress;
  }
  #total = 0;

  update({ found, stored, storedBytes, seconds }: ImportSummary): void {
    const rate = stored / Math.max(seconds, 0.001);
    const left = rate > 0 ? formatSeconds((this.#total - found) / rate) : '?';
    this.#bar.update(found, { files: formatCount(found), rate: rate.toFixed(0), bytes: formatBytes(storedBytes / Math.max(seconds, 0.001)), left });
  }
  stop(): void {
    this.#bar.stop();
  }
}

function summaryLines(summary: ImportSummary, dryRun: boolean): string[] {
  const rate = summary.stored / Math.max(summary.seconds, 0.001);
  const reasons = (['skipped', 'refused', 'failed'] as const).flatMap((kind) =>
    Object.entries(summary[kind]).map(([reason, count]) => [`  ${kind}`, formatCount(count), reason]),
  );
  return [
    dryRun
      ? `Would send ${formatCount(summary.found)} files, ${formatBytes(summary.foundBytes)}`
      : `Stored ${formatCount(summary.stored)} of ${formatCount(summary.found)} files, ${formatBytes(summary.storedBytes)}, in ${formatSeconds(summary.seconds)} (${rate.toFixed(0)} files/s)`,
    ...(summary.alreadyDone > 0 ? [`  ${formatCount(summary.alreadyDone)} were stored by an earlier run of this import`] : []),
    ...columns(reasons),
    ...summary.examples.map(({ path, reason }) => `    ${path}: ${reason}`),
  ];
}
