// `vna verify`: bytes against the recorded digests.
import type { Command } from 'commander';
import { JobQueue } from '@perennia/jobs';
import { ArchiveAccess } from '../archive-access.js';
import { withPlaces } from '../archive-places.js';
import { columns, formatBytes, formatCount, note, printResult, type CommandOptions } from '../command-output.js';
import { InstanceVerifier } from '../verify-instances.js';

const PROGRESS_EVERY = 5000;

export function addVerifyCommand(program: Command): void {
  program
    .command('verify')
    .description('Read the bytes of every copy of all instances, or of one study, and compare them with the digest taken when they were received')
    .argument('[study]', 'Study Instance UID')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nA copy that differs is marked suspect, served only when no other is left, and repaired from a good one where there is one.\nExit code 1 when something differs.' +
        '\n\nExample:\n  npx vna verify 1.2.840.113619.2.55.3',
    )
    .action(async (study: string | undefined, options: CommandOptions) => {
      const access = new ArchiveAccess();
      const report = await access.withDatabases(({ imaging }) =>
        withPlaces(access, ({ reader }) =>
          new InstanceVerifier(imaging, reader, new JobQueue(imaging)).verify(study, ({ copies, bytes }) => {
            if (copies % PROGRESS_EVERY === 0) note(`${formatCount(copies)} copies, ${formatBytes(bytes)}`);
          })),
      );
      printResult(options, report, () => [
        `${formatCount(report.instances)} instances in ${formatCount(report.copies)} copies, ${formatBytes(report.bytes)}: ` +
          `${report.damaged.length === 0 ? 'all as received' : `${report.damaged.length} damaged`}`,
        ...columns(report.damaged.map(({ sopInstanceUid, place, reason }) => [sopInstanceUid, place, reason])),
      ]);
      process.exitCode = report.damaged.length > 0 ? 1 : 0;
    });
}
