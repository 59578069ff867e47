// `vna associations`: who is connected over DICOM right now, and the end of a connection that has to go (D24).
import type { Command } from 'commander';
import { NotFoundError, UnavailableError } from '@perennia/errors';
import type { RunningProcess } from '@perennia/all-in-one';
import { ArchiveAccess } from '../archive-access.js';
import { columns, printResult, type CommandOptions } from '../command-output.js';

const DEADLINE_MS = 5000;

interface OpenAssociation {
  id: number;
  callingAet: string;
  calledAet: string;
  peer: string;
  since: string;
  outstandingOperations: number;
}
/** Named by its process too: numbers are of one process. */
type ListedAssociation = Omit<OpenAssociation, 'id'> & { id: string };

export function addAssociationsCommand(program: Command): void {
  const group = program.command('associations').description('DICOM associations that are open now: list them, or abort one')
    .addHelpText('after', '\nExample:\n  npx vna associations list\n  npx vna associations abort ingest/12');
  group
    .command('list')
    .description('List them, oldest first')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npx vna associations list')
    .action(async (options: CommandOptions) => {
      const associations = await list();
      printResult(options, { associations }, () => (associations.length === 0 ? ['(nobody is connected)'] : columns([HEAD, ...associations.map(row)])));
    });
  group
    .command('abort')
    .description('Abort associations; what they stored with success stays, senders repeat the rest')
    .argument('<id...>', 'as listed')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npx vna associations abort ingest/12')
    .action(async (ids: string[], options: CommandOptions) => {
      for (const id of ids) await abort(id);
      printResult(options, { aborted: ids }, () => [`${ids.length} aborted`]);
    });
}

async function list(): Promise<ListedAssociation[]> {
  const associations: ListedAssociation[] = [];
  for (const process of processes()) {
    const open = (await (await ask(process, 'GET', '/associations')).json()) as OpenAssociation[];
    associations.push(...open.map((each) => ({ ...each, id: `${process.name}/${each.id}` })));
  }
  return associations.toSorted((left, right) => (left.since < right.since ? -1 : 1));
}

async function abort(id: string): Promise<void> {
  const [, name, number] = /^([a-z]+)\/(\d{1,15})$/.exec(id) ?? [];
  const process = processes().find((each) => each.name === name);
  const answer = process && (await ask(process, 'POST', `/associations/${number}/abort`));
  if (answer?.status !== 200) throw new NotFoundError(`There is no open association ${id}`, { remedy: 'List them with "vna associations list"' });
}

/** @throws UnavailableError when the archive does not run, or runs in one process, which has no port of its own for this */
function processes(): RunningProcess[] {
  const found = new ArchiveAccess().requireRunning().processes.filter(({ controlSecret }) => controlSecret !== undefined);
  if (found.length === 0) throw new UnavailableError('This archive runs in one process, which does not tell its associations', { remedy: 'Start it with VNA_PROCESSES=3' });
  return found;
}

async function ask({ name, healthPort, controlSecret }: RunningProcess, method: string, path: string): Promise<Response> {
  try {
    return await fetch(`http://127.0.0.1:${healthPort}${path}`, { method, headers: { authorization: `Bearer ${controlSecret}` }, signal: AbortSignal.timeout(DEADLINE_MS) });
  } catch (cause) {
    throw new UnavailableError(`The process "${name}" does not answer`, { cause, remedy: 'Look at "vna status"' });
  }
}

const HEAD = ['ID', 'CALLING', 'CALLED', 'PEER', 'SINCE', 'UNDER WAY'];
const row = ({ id, callingAet, calledAet, peer, since, outstandingOperations }: ListedAssociation): string[] => [id, callingAet, calledAet, peer, since, String(outstandingOperations)];
