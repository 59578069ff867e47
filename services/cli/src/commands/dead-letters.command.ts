// `vna dead-letters`: records that a service gave up on. They are kept until somebody replays them, after the cause is mended, or discards them.
import { Option, type Command } from 'commander';
import { NotFoundError, UnavailableError } from '@perennia/errors';
import { DeadLetters, type DeadLetterEntry } from '@perennia/messaging';
import type { Databases } from '@perennia/persistence';
import { createLogger, SystemClock, type Clock } from '@perennia/telemetry';
import { openEventLog } from '@perennia/all-in-one';
import { ArchiveAccess } from '../archive-access.js';
import { columns, printResult, type CommandOptions } from '../command-output.js';

const STATES = ['open', 'replayed', 'discarded'] as const;
const POLL_MS = 250;

export function addDeadLettersCommand(program: Command): void {
  const group = program.command('dead-letters').description('Records that a service gave up on: look at them, replay or discard them')
    .addHelpText('after', '\nExample:\n  npx vna dead-letters list\n  npx vna dead-letters replay --all');
  group
    .command('list')
    .description('List them, newest first')
    .addOption(new Option('--state <state>', 'which').choices(STATES).default('open'))
    .option('--limit <count>', 'at most so many', Number, 50)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npx vna dead-letters list --state replayed')
    .action((options: CommandOptions & { state: DeadLetterEntry['state']; limit: number }) =>
      withLetters(async (letters) => {
        const entries = await letters.list({ state: options.state, limit: options.limit });
        printResult(options, { deadLetters: entries }, () => (entries.length === 0 ? ['(nothing)'] : columns(entries.map(row))));
      }));
  group
    .command('show')
    .description('Show one with its record, which may hold patient data')
    .argument('<id>', 'as listed')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npx vna dead-letters show 0198f0c2-…')
    .action((id: string, options: CommandOptions) =>
      withLetters(async (letters) => {
        const letter = await letters.show(id);
        printResult(options, letter, () => columns(Object.entries(letter).map(([name, value]) => [name, value instanceof Date ? value.toISOString() : String(value ?? '')])));
      }));
  group
    .command('replay')
    .description('Give records to the service that gave up on them once more, and wait for what becomes of them')
    .argument('[id...]', 'as listed')
    .option('--all', 'all open ones')
    .option('--wait <seconds>', 'how long to wait for the service', Number, 60)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit code 1 when one was given up again.\n\nExample:\n  npx vna dead-letters replay --all')
    .action((ids: string[], options: CommandOptions & { all?: boolean; wait: number }) =>
      withLetters(async (letters, clock) => {
        const requested = await letters.requestReplay(options.all ? 'all' : ids);
        const missing = ids.filter((id) => !requested.includes(id));
        const nothing = missing.length > 0 ? `There is no open dead letter ${missing.join(', ')}` : !options.all && ids.length === 0 ? 'No dead letter is named' : undefined;
        if (nothing !== undefined) throw new NotFoundError(nothing, { remedy: 'List them with "vna dead-letters list"' });
        const settled = await untilSettled(letters, requested, clock, options.wait * 1000);
        const failed = settled.filter(({ state }) => state === 'open');
        printResult(options, { replayed: settled.length - failed.length, failed }, () => [`${settled.length - failed.length} replayed, ${failed.length} given up again`, ...columns(failed.map(row))]);
        process.exitCode = failed.length > 0 ? 1 : 0;
      }));
  group
    .command('discard')
    .description('Close records for good; they stay listed as discarded')
    .argument('<id...>', 'as listed')
    .addHelpText('after', '\nExample:\n  npx vna dead-letters discard 0198f0c2-…')
    .action((ids: string[]) =>
      withLetters(async (letters) => {
        for (const id of ids) await letters.discard(id);
        printResult({}, undefined, () => [`${ids.length} discarded`]);
      }));
}

/** @throws UnavailableError when the service that has the handler did not take them in time; they stay asked for */
async function untilSettled(letters: DeadLetters, ids: readonly string[], clock: Clock, waitMs: number): Promise<DeadLetterEntry[]> {
  const deadlineMs = clock.monotonicMs() + waitMs;
  const settled: DeadLetterEntry[] = [];
  for (const id of ids) {
    for (let letter = await letters.show(id); ; letter = await letters.show(id)) {
      const { original: _, ...entry } = letter;
      if (entry.state !== 'open' || entry.replayRequestedAt === null) {
        settled.push(entry);
        break;
      }
      if (clock.monotonicMs() > deadlineMs) {
        throw new UnavailableError(`The service "${entry.group}" has not replayed ${ids.length - settled.length} of ${ids.length} yet`, { remedy: 'Start it; it takes them up by itself then' });
      }
      await clock.sleep(POLL_MS);
    }
  }
  return settled;
}

async function withLetters(use: (letters: DeadLetters, clock: Clock) => Promise<void>): Promise<void> {
  const access = new ArchiveAccess();
  const clock = new SystemClock();
  await access.withDatabases(async ({ control }: Databases, url) => {
    const eventLog = await openEventLog({ config: access.config, databaseUrl: url, clientName: 'perennia vna', log: createLogger('cli', 'error'), clock });
    try {
      await use(new DeadLetters(control, eventLog, clock), clock);
    } finally {
      await eventLog.close();
    }
  });
}

const row = ({ id, createdAt, group, errorCode, reason, attempts, state }: DeadLetterEntry): string[] => [id, createdAt.toISOString(), state, group, errorCode, `${attempts} attempts`, reason];
