// The administrator's command `vna`. Results on stdout, everything else on stderr; the exit code tells.
import { Command } from 'commander';
import { formatStartFailure, toStartFailure } from '@perennia/all-in-one';
import { addAssociationsCommand } from './commands/associations.command.js';
import { addCommitmentsCommand } from './commands/commitments.command.js';
import { addConfigCommand } from './commands/config.command.js';
import { addDeadLettersCommand } from './commands/dead-letters.command.js';
import { addDoctorCommand } from './commands/doctor.command.js';
import { addExportCommand } from './commands/export.command.js';
import { addImportCommand } from './commands/import.command.js';
import { addMigrateCommand } from './commands/migrate.command.js';
import { addNodeCommand } from './commands/node.command.js';
import { addRebuildIndexCommand } from './commands/rebuild-index.command.js';
import { addStatusCommand } from './commands/status.command.js';
import { addTopicsCommand } from './commands/topics.command.js';
import { addVerifyCommand } from './commands/verify.command.js';

const EXIT_ERROR = 2;

const program = new Command('vna').description('Administers a Perennia archive').version('0.1.0').showHelpAfterError('(vna --help shows what there is)');
for (const add of [
  addStatusCommand, addImportCommand, addExportCommand, addVerifyCommand, addRebuildIndexCommand, addMigrateCommand, addDoctorCommand, addConfigCommand,
  addNodeCommand, addAssociationsCommand, addCommitmentsCommand, addDeadLettersCommand, addTopicsCommand,
]) {
  add(program);
}

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(formatStartFailure(toStartFailure(error)));
  process.exitCode = EXIT_ERROR;
});
