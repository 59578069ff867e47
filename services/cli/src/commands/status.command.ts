// `vna status`: processes, storage, lag and counts; with --quarantine or --refused what needs a person.
import type { Command } from 'commander';
import { openEventLog } from '@perennia/all-in-one';
import { createLogger, SystemClock } from '@perennia/telemetry';
import { ArchiveAccess } from '../archive-access.js';
import { columns, printResult, type CommandOptions } from '../command-output.js';
import { readQuarantine, readRefusals, type QuarantinedObject, type RefusedObject } from '../attention-lists.js';
import { readStatus, statusLines } from '../archive-status.js';

interface StatusOptions extends CommandOptions {
  quarantine?: boolean;
  refused?: boolean;
  limit: number;
}

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('Show processes, storage, lag and counts')
    .option('--quarantine', 'list objects that are kept aside: another object has their UID, or their bytes are suspect')
    .option('--refused', 'list objects that were not stored, newest first')
    .option('--limit <n>', 'at most so many list entries', Number, 50)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  npx vna status\n  npx vna status --refused --limit 10')
    .action(async (options: StatusOptions) => {
      const access = new ArchiveAccess();
      await access.withDatabases(async (databases, url) => {
        const { control, imaging } = databases;
        if (options.quarantine) return printList(options, 'quarantine', await readQuarantine(imaging, options.limit), quarantineRow);
        if (options.refused) return printList(options, 'refused', await readRefusals(control, options.limit), refusalRow);
        const eventLog = await openEventLog({ config: access.config, databaseUrl: url, clientName: 'perennia vna', log: createLogger('cli', 'error'), clock: new SystemClock() });
        try {
          const status = await readStatus(access, databases, eventLog);
          printResult(options, status, () => statusLines(status));
        } finally {
          await eventLog.close();
        }
      });
    });
}

function printList<Entry extends object>(options: CommandOptions, name: string, entries: readonly Entry[], row: (entry: Entry) => string[]): void {
  printResult(options, { [name]: entries }, () => (entries.length === 0 ? ['(nothing)'] : columns(entries.map(row))));
}

const quarantineRow = ({ receivedAt, kind, state, sopInstanceUid, studyInstanceUid, place }: QuarantinedObject): string[] =>
  [receivedAt, kind, state, sopInstanceUid, studyInstanceUid, place];
const refusalRow = ({ refusedAt, road, status, reasonCode, reason, sopInstanceUid, source }: RefusedObject): string[] =>
  [refusedAt, road, status, reasonCode, sopInstanceUid ?? '-', source, reason];
