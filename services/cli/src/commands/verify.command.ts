// `vna verify`: bytes against the recorded digests.
import { join } from 'node:path';
import type { Command } from 'commander';
import { HOT_TIER } from '@perennia/contracts';
import { LandingFileReader } from '@perennia/landing-file';
import { FsObjectStore } from '@perennia/object-store-fs';
import { TieredPlaceReader } from '@perennia/storage';
import { ArchiveAccess } from '../archive-access.js';
import { columns, formatBytes, formatCount, note, printResult, type CommandOptions } from '../command-output.js';
import { InstanceVerifier } from '../verify-instances.js';

const PROGRESS_EVERY = 5000;

export function addVerifyCommand(program: Command): void {
  program
    .command('verify')
    .description('Read the bytes of every instance, or of one study, and compare them with the digest taken when they were received')
    .argument('[study]', 'Study Instance UID')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit code 1 when something differs.\n\nExample:\n  npx vna verify 1.2.840.113619.2.55.3')
    .action(async (study: string | undefined, options: CommandOptions) => {
      const access = new ArchiveAccess();
      const report = await access.withDatabases(async ({ imaging }) => {
        const store = await FsObjectStore.open({ directory: join(access.dataPath, 'objects') });
        const places = new TieredPlaceReader(new LandingFileReader(join(access.dataPath, 'landing')), new Map([[HOT_TIER, store]]));
        return new InstanceVerifier(imaging, places).verify(study, ({ instances, bytes }) => {
          if (instances % PROGRESS_EVERY === 0) note(`${formatCount(instances)} instances, ${formatBytes(bytes)}`);
        });
      });
      printResult(options, report, () => [
        `${formatCount(report.instances)} instances, ${formatBytes(report.bytes)}: ${report.damaged.length === 0 ? 'all as received' : `${report.damaged.length} damaged`}`,
        ...columns(report.damaged.map(({ sopInstanceUid, place, reason }) => [sopInstanceUid, place, reason])),
      ]);
      process.exitCode = report.damaged.length > 0 ? 1 : 0;
    });
}
