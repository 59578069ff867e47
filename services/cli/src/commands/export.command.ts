// `vna export`: studies as plain DICOM files.
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { InvalidInputError } from '@perennia/errors';
import { ArchiveAccess } from '../archive-access.js';
import { formatBytes, formatCount, printResult, type CommandOptions } from '../command-output.js';
import { StudyExporter, type ExportedStudy } from '../export-studies.js';

export function addExportCommand(program: Command): void {
  program
    .command('export')
    .description('Write studies as plain DICOM files, byte for byte as received: DIR/<study>/<series>/<instance>.dcm')
    .argument('<study...>', 'one or more Study Instance UIDs, then the folder')
    .option('--connections <n>', 'files read at once', Number, 4)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npx vna export 1.2.840.113619.2.55.3 ./exported')
    .action(async (names: string[], options: CommandOptions & { connections: number }) => {
      const studies = names.slice(0, -1);
      const directory = resolve(names.at(-1)!);
      const wrong = studies.length === 0 ? 'nothing' : studies.find((uid) => !/^[0-9.]{1,64}$/.test(uid));
      if (wrong !== undefined) throw new InvalidInputError(`"${wrong}" is no Study Instance UID`, { remedy: 'Write: npx vna export STUDY… DIR' });
      const access = new ArchiveAccess();
      access.requireRunning();
      const exporter = new StudyExporter(access.webUrl, options.connections);
      const exported: ExportedStudy[] = [];
      for (const study of studies) exported.push(await exporter.export(study, directory));
      printResult(options, exported, () =>
        exported.map(({ studyInstanceUid, files, bytes }) => `${studyInstanceUid}: ${formatCount(files)} files, ${formatBytes(bytes)} in ${directory}`),
      );
    });
}
