// `vna rebuild-index`: the catalogue again, from landing segments and packs alone.
import type { Command } from 'commander';
import { ConfigurationError } from '@perennia/errors';
import { catalogueDigest, emptyCatalogue, rebuildIndex, type RebuildReport } from '@perennia/indexing';
import { CatalogueStatistics, type Databases } from '@perennia/persistence';
import type { Landing } from '@perennia/storage';
import { SystemClock } from '@perennia/telemetry';
import { ArchiveAccess } from '../archive-access.js';
import { withPlaces, type ArchivePlaces } from '../archive-places.js';
import { formatCount, formatSeconds, note, printResult, type CommandOptions } from '../command-output.js';

interface RebuildCommandOptions extends CommandOptions {
  yes?: boolean;
  bare?: boolean;
}
interface RebuildResult extends RebuildReport {
  digestBefore: string;
  digestAfter: string;
  seconds: number;
}

const PROGRESS_INTERVAL_MS = 5000;

export function addRebuildIndexCommand(program: Command): void {
  program
    .command('rebuild-index')
    .description('Empty the catalogue and make it anew from landing segments and packs; the archive must be stopped')
    .option('--yes', 'do it: without this nothing is touched')
    .option('--bare', 'believe no index: read every byte, verify digests, take attributes from the objects')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit code 1 when something was damaged.\n\nExample:\n  npx vna rebuild-index --yes')
    .action(async (options: RebuildCommandOptions) => {
      if (!options.yes) throw new ConfigurationError('The catalogue would be emptied and made anew', { remedy: 'Stop the archive and say --yes' });
      const access = new ArchiveAccess();
      const result = await access.whileStopped((databases) => withPlaces(access, (places) => rebuild(places, databases, options)));
      printResult(options, result, () => resultLines(result));
      process.exitCode = result.damagedPacks.length + result.damagedReceipts.length > 0 ? 1 : 0;
    });
}

async function rebuild({ tiers, reader, landingAreas }: ArchivePlaces, { control, imaging }: Databases, options: RebuildCommandOptions): Promise<RebuildResult> {
  const clock = new SystemClock();
  const landings: Landing[] = [];
  try {
    for (const owner of await landingAreas.owners()) landings.push(await landingAreas.adopt(owner));
    const { sha256: digestBefore } = await catalogueDigest(imaging);
    await emptyCatalogue(imaging);
    const startedMs = clock.monotonicMs();
    const report = await rebuildIndex(
      { imaging, control, statistics: new CatalogueStatistics(imaging), tiers, reader, landings, clock },
      { bare: options.bare === true, onProgress: progressTo(clock) },
    );
    const seconds = (clock.monotonicMs() - startedMs) / 1000;
    const { sha256: digestAfter } = await catalogueDigest(imaging);
    return { ...report, digestBefore, digestAfter, seconds };
  } finally {
    for (const landing of landings) await landing.close();
  }
}

function progressTo(clock: SystemClock): (report: Readonly<RebuildReport>) => void {
  let nextMs = clock.monotonicMs() + PROGRESS_INTERVAL_MS;
  return ({ packs, totalPacks, instances }) => {
    if (clock.monotonicMs() < nextMs) return;
    nextMs = clock.monotonicMs() + PROGRESS_INTERVAL_MS;
    note(`${formatCount(packs)} of ${formatCount(totalPacks)} packs, ${formatCount(instances)} instances`);
  };
}

function resultLines(result: RebuildResult): string[] {
  const { packs, landingRecords, instances, conflicts, seconds, damagedPacks, damagedReceipts, digestBefore, digestAfter } = result;
  return [
    `${formatCount(instances)} instances from ${formatCount(packs)} packs and ${formatCount(landingRecords)} landing records in ${formatSeconds(seconds)} ` +
      `(${formatCount(Math.round(instances / Math.max(seconds, 0.001)))}/s); ${formatCount(conflicts)} conflicts`,
    digestAfter === digestBefore ? 'The catalogue is what it was before.' : 'The catalogue differs from the one before.',
    ...damagedPacks.map((key) => `damaged pack ${key}`),
    ...damagedReceipts.map((id) => `bytes differ from their digest: receipt ${id}`),
  ];
}
