// `vna doctor`: what is wrong, and what to do; with a remote node, what is wrong on the way to it.
import type { Command } from 'commander';
import { ArchiveAccess } from '../archive-access.js';
import { columns, printResult, type CommandOptions } from '../command-output.js';
import { examine } from '../examination.js';
import { DEFAULT_TENANT, DEFAULT_TIMEOUT_SECONDS, nodeTestLines, testNode } from '../node-test.js';

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Check ports, disk, database, log, store and clock, or a remote node; say what is wrong and what to do')
    .argument('[node]', 'AE title of a remote node: check the way to it instead, as "vna node test" does')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit code 1 when something is wrong.\n\nExample:\n  npx vna doctor\n  npx vna doctor VIEWER1')
    .action(async (node: string | undefined, options: CommandOptions) => {
      process.exitCode = (await (node === undefined ? diagnose(options) : diagnoseNode(node, options))) ? 0 : 1;
    });
}

/** @returns whether all is well, as the other does */
async function diagnose(options: CommandOptions): Promise<boolean> {
  const findings = await examine(new ArchiveAccess());
  printResult(options, findings, () =>
    columns(findings.map(({ check, ok, found, remedy }) => [ok ? 'ok' : 'WRONG', check, remedy === undefined ? found : `${found}. ${remedy}.`])),
  );
  return findings.every(({ ok }) => ok);
}

async function diagnoseNode(aeTitle: string, options: CommandOptions): Promise<boolean> {
  const report = await testNode(new ArchiveAccess(), aeTitle, { tenant: DEFAULT_TENANT, timeoutSeconds: DEFAULT_TIMEOUT_SECONDS });
  printResult(options, report, () => nodeTestLines(report));
  return report.ok;
}
