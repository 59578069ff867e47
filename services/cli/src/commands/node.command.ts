// `vna node`: the DICOM nodes that the archive opens associations to by itself.
import type { Command } from 'commander';
import { NodeDirectory, REMOTE_NODE_DEFAULTS, type RemoteNode } from '@perennia/remote-nodes';
import { SystemClock } from '@perennia/telemetry';
import { ArchiveAccess } from '../archive-access.js';
import { columns, printResult, type CommandOptions } from '../command-output.js';
import { DEFAULT_TENANT, DEFAULT_TIMEOUT_SECONDS, nodeTestLines, testNode } from '../node-test.js';

interface TenantOptions extends CommandOptions {
  tenant: string;
}
interface AddOptions extends TenantOptions {
  host: string;
  port: number;
  tls?: boolean;
  description: string;
  moveCallers: string[];
  maxAssociations: number;
  replace?: boolean;
}
interface TestOptions extends TenantOptions {
  sopClass?: string[];
  timeout: number;
}

export function addNodeCommand(program: Command): void {
  const group = program.command('node').description('DICOM nodes that the archive opens associations to: destinations of C-MOVE and others')
    .addHelpText('after', '\nWho may send to the archive is said elsewhere (sources.profiles).\n\nExample:\n  npx vna node add VIEWER1 --host viewer1.example --port 104\n  npx vna node test VIEWER1');
  addAdd(group);
  addList(group);
  addTest(group);
  addRemove(group);
}

function addAdd(group: Command): void {
  withTenant(group.command('add'))
    .description('Add a node; with --replace in the place of the one of this AE title')
    .argument('<aetitle>', 'its AE title; upper and lower case differ')
    .requiredOption('--host <host>', 'host name or IP address')
    .requiredOption('--port <port>', 'TCP port', Number)
    .option('--tls', 'open associations over TLS')
    .option('--description <text>', 'for people', REMOTE_NODE_DEFAULTS.description)
    .option('--move-callers <aetitle...>', 'who may name it as move destination; without this any known source', [])
    .option('--max-associations <n>', 'associations that the archive has open to it at once', Number, REMOTE_NODE_DEFAULTS.maxAssociations)
    .option('--replace', 'change the node if there is one')
    .addHelpText('after', '\nExample:\n  npx vna node add VIEWER1 --host viewer1.example --port 2762 --tls --move-callers PACS WORKLIST')
    .action(async (aeTitle: string, { host, port, tls = false, description, moveCallers, maxAssociations, ...options }: AddOptions) => {
      const settings = { aeTitle, host, port, tls, description, moveCallers, maxAssociations };
      const node = await withDirectory((nodes) => (options.replace ? nodes.put(options.tenant, settings) : nodes.add(options.tenant, settings)));
      printResult(options, node, () => [`${node.aeTitle} is at ${node.host}, port ${node.port}; look whether it answers with "vna node test ${quoted(node.aeTitle)}"`]);
    });
}

function addList(group: Command): void {
  withTenant(group.command('list'))
    .description('List them')
    .addHelpText('after', '\nExample:\n  npx vna node list')
    .action(async (options: TenantOptions) => {
      const nodes = await withDirectory((directory) => directory.list(options.tenant));
      const head = ['AE TITLE', 'HOST', 'PORT', 'TLS', 'ASSOCIATIONS', 'MOVE CALLERS', 'DESCRIPTION'];
      printResult(options, { nodes }, () => (nodes.length === 0 ? ['(nothing)'] : columns([head, ...nodes.map(row)])));
    });
}

function addTest(group: Command): void {
  withTenant(group.command('test'))
    .description('Verify one from this machine: name, connection, TLS, association and C-ECHO; say what fails and what to do')
    .argument('<aetitle>', 'as listed')
    .option('--sop-class <uid...>', 'propose these SOP classes as well, and tell those that are refused')
    .option('--timeout <seconds>', 'for each stage', Number, DEFAULT_TIMEOUT_SECONDS)
    .addHelpText('after', '\nNo object is stored there or fetched back. Exit code 1 when a stage fails.\n\nExample:\n  npx vna node test VIEWER1 --sop-class 1.2.840.10008.5.1.4.1.1.2')
    .action(async (aeTitle: string, { tenant, sopClass, timeout, ...options }: TestOptions) => {
      const report = await testNode(new ArchiveAccess(), aeTitle, { tenant, timeoutSeconds: timeout, ...(sopClass ? { sopClasses: sopClass } : {}) });
      printResult(options, report, () => nodeTestLines(report));
      process.exitCode = report.ok ? 0 : 1;
    });
}

function addRemove(group: Command): void {
  withTenant(group.command('remove'))
    .description('Remove one; no image is touched')
    .argument('<aetitle>', 'as listed')
    .addHelpText('after', '\nExample:\n  npx vna node remove VIEWER1')
    .action(async (aeTitle: string, options: TenantOptions) => {
      await withDirectory((nodes) => nodes.remove(options.tenant, aeTitle));
      printResult(options, { removed: aeTitle }, () => [`${aeTitle} removed`]);
    });
}

const withTenant = (command: Command): Command => command.option('--tenant <id>', 'whose nodes', DEFAULT_TENANT).option('--json', 'print JSON');

const withDirectory = <Result>(use: (nodes: NodeDirectory) => Promise<Result>): Promise<Result> =>
  new ArchiveAccess().withDatabases(({ control }) => use(new NodeDirectory(control, new SystemClock())));

const row = ({ aeTitle, host, port, tls, maxAssociations, moveCallers, description }: RemoteNode): string[] =>
  [aeTitle, host, String(port), tls ? 'yes' : 'no', String(maxAssociations), moveCallers.map(quoted).join(' ') || '(any)', description];

/** AE titles may have blanks. */
const quoted = (aeTitle: string): string => (/^[\w.-]+$/.test(aeTitle) ? aeTitle : `'${aeTitle}'`);
