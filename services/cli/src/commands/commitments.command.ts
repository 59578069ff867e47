// `vna commitments`: what was asked of storage commitment, and whether the result has reached who asked (D11).
import { Option, type Command } from 'commander';
import { COMMITMENT_QUEUE, JobQueue, type JobState, type JobStatus } from '@perennia/jobs';
import { ArchiveAccess } from '../archive-access.js';
import { columns, printResult, type CommandOptions } from '../command-output.js';

/** As people ask for them, and as jobs stand. */
const STATES = { open: 'queued', told: 'done', 'given-up': 'failed' } as const satisfies Record<string, JobState>;

interface Commitment {
  transactionUid: string;
  requester: string;
  askedAt: string;
  references: number;
  /** null: not checked yet. */
  failed: number | null;
  state: string;
  attempts: number;
  nextAttemptAt: Date;
  error: string | null;
}

export function addCommitmentsCommand(program: Command): void {
  program
    .command('commitments')
    .description('Transactions of storage commitment: what was asked, what was found, whether it could be told')
    .addOption(new Option('--state <state>', 'which').choices(Object.keys(STATES)))
    .option('--limit <count>', 'at most so many', Number, 50)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nResults are told again and again for a week; one that lacks a remote node is told soon after "vna node add".\n\nExample:\n  npx vna commitments --state open')
    .action(async (options: CommandOptions & { state?: keyof typeof STATES; limit: number }) => {
      const filter = { queue: COMMITMENT_QUEUE, limit: options.limit, ...(options.state && { state: STATES[options.state] }) };
      const jobs = await new ArchiveAccess().withDatabases(({ imaging }) => new JobQueue(imaging).list(filter));
      const commitments = jobs.map(commitmentOf);
      printResult(options, { commitments }, () => (commitments.length === 0 ? ['(nothing)'] : columns(commitments.map(row))));
    });
}

function commitmentOf({ payload, progress, state, attempts, runAt, error }: JobStatus): Commitment {
  const { transactionUid, requester, askedAt, references } = payload as { transactionUid: string; requester: string; askedAt: string; references: unknown[] };
  const failed = (progress as { failed?: number } | null)?.failed ?? null;
  return { transactionUid, requester, askedAt, references: references.length, failed, state: wordOf(state), attempts, nextAttemptAt: runAt, error };
}

const wordOf = (state: JobState): string => Object.entries(STATES).find(([, each]) => each === state)?.[0] ?? state;

const row = ({ transactionUid, requester, askedAt, references, failed, state, attempts, error }: Commitment): string[] => [
  state, requester, transactionUid, askedAt, `${references} objects`, failed === null ? 'not checked' : `${failed} not committed`, `${attempts} attempts`, error ?? '',
];
