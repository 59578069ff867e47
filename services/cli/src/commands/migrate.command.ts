// `vna migrate`: brings database and event log to what this program needs, before the services start. They do the same at their start;
// in a cluster one job does it once, with rights that the services need not have.
import type { Command } from 'commander';
import { ArchiveConfig, prepareEventLog } from '@perennia/all-in-one';
import { ConfigurationError } from '@perennia/errors';
import { runMigrations } from '@perennia/persistence';
import { createLogger, SystemClock } from '@perennia/telemetry';
import { ArchiveAccess } from '../archive-access.js';
import { printResult, type CommandOptions } from '../command-output.js';

export function addMigrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('Bring the schema of an outside database, and the topics of the event log, to what this version needs')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nSafe while services run, and when there is nothing to do.\n\nExample:\n  VNA_DATABASE_URL=postgres://… npx vna migrate')
    .action(async (options: CommandOptions) => {
      const { config } = new ArchiveAccess();
      const { databaseUrl } = config.get(ArchiveConfig);
      if (databaseUrl === undefined) throw new ConfigurationError('There is no outside database to migrate; the embedded one is migrated at each start', { remedy: 'Set VNA_DATABASE_URL' });
      const applied = await runMigrations({ controlUrl: databaseUrl, imagingUrl: databaseUrl });
      const topics = await prepareEventLog({ config, databaseUrl, clientName: 'perennia migration', log: createLogger('cli', 'warn'), clock: new SystemClock() });
      printResult(options, { ...applied, topics }, () => [`${applied.control + applied.imaging} migrations applied, ${topics.length} topics created`]);
    });
}
