// `vna migrate`: the database brought to what this release knows, and the topics of Kafka made; or with --check only looked at. Every start does
// the same by itself; this is for installations that want it done, or seen, before the first process of a new release starts.
import type { Command } from 'commander';
import { migrateDatabases, pendingBySchema, prepareEventLog } from '@perennia/all-in-one';
import type { EffectiveConfig } from '@perennia/config';
import { createLogger, SystemClock } from '@perennia/telemetry';
import { ArchiveAccess } from '../archive-access.js';
import { printResult, type CommandOptions } from '../command-output.js';

interface MigrateOptions extends CommandOptions {
  check?: boolean;
}
interface MigrateResult {
  /** Names of migrations: those that were run, or with --check those that wait. */
  migrations: Record<string, string[]>;
  /** Names of topics that were made. */
  topics: string[];
  applied: boolean;
}

const EXIT_PENDING = 1;

export function addMigrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('Bring the schemas of the database up to date and make missing topics on Kafka, as each start does; nothing else is touched')
    .option('--check', 'only look: what would be run')
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExit code: 0 up to date, ${EXIT_PENDING} with --check when something waits, 2 when a newer release was here or a step failed.\n\nExample:\n  npx vna migrate --check`)
    .action(async (options: MigrateOptions) => {
      const access = new ArchiveAccess();
      const result = await access.withDatabaseUrl((url) => migrate(access.config, url, options.check !== true));
      printResult(options, result, () => resultLines(result));
      process.exitCode = !result.applied && count(result) > 0 ? EXIT_PENDING : 0;
    });
}

async function migrate(config: EffectiveConfig, url: string, apply: boolean): Promise<MigrateResult> {
  const migrations = await pendingBySchema(url);
  if (apply) await migrateDatabases(url);
  const log = createLogger('cli', 'warn');
  const topics = apply ? await prepareEventLog({ config, databaseUrl: url, clientName: 'perennia vna', log, clock: new SystemClock() }) : [];
  return { migrations, topics, applied: apply };
}

const count = ({ migrations }: MigrateResult): number => Object.values(migrations).flat().length;

function resultLines(result: MigrateResult): string[] {
  const topics = result.topics.map((topic) => `Topic ${topic} made.`);
  if (count(result) === 0) return ['The database is up to date.', ...topics];
  const head = result.applied ? 'Run:' : 'Would be run:';
  return [head, ...Object.entries(result.migrations).flatMap(([schema, names]) => names.map((name) => `  ${schema}  ${name}`)), ...topics];
}
