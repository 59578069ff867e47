// `vna doctor`: what is wrong, and what to do.
import type { Command } from 'commander';
import { ArchiveAccess } from '../archive-access.js';
import { columns, printResult, type CommandOptions } from '../command-output.js';
import { examine } from '../examination.js';

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Check ports, disk, database, log, store and clock; say what is wrong and what to do')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit code 1 when something is wrong.\n\nExample:\n  npx vna doctor')
    .action(async (options: CommandOptions) => {
      const findings = await examine(new ArchiveAccess());
      printResult(options, findings, () =>
        columns(findings.map(({ check, ok, found, remedy }) => [ok ? 'ok' : 'WRONG', check, remedy === undefined ? found : `${found}. ${remedy}.`])),
      );
      process.exitCode = findings.every(({ ok }) => ok) ? 0 : 1;
    });
}
