// `vna config`: what is in force and where each value came from.
import type { Command } from 'commander';
import { loadArchiveConfig } from '@perennia/all-in-one';
import { columns, printResult, type CommandOptions } from '../command-output.js';

export function addConfigCommand(program: Command): void {
  program
    .command('config')
    .description('Show the values in force and where each came from')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  VNA_INGEST_PORT=104 npx vna config')
    .action((options: CommandOptions) => {
      const shown = loadArchiveConfig().shown();
      printResult(options, shown, () => columns([['KEY', 'VALUE', 'FROM'], ...shown.map(({ key, value, origin }) => [key, value, origin])]));
    });
}
