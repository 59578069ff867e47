// Entry of a role process: one process group, under a supervisor. It ends when told to, and at once when its supervisor is gone:
// whatever was acknowledged is durable, and a new supervisor must find ports and folders free.
import { createLogger } from '@perennia/telemetry';
import { processIdentity } from '@perennia/storage';
import { ArchiveConfig } from './archive.config.js';
import { exchangeOfProcess } from './association-exchanges.js';
import { collectGarbage } from './collect-garbage.js';
import { loadArchiveConfig } from './load-archive-config.js';
import { groupsFor } from './process-groups.js';
import type { RoleMessage } from './role-message.js';
import { runGroup } from './run-group.js';
import { EXIT_CANNOT_START, toStartFailure } from './start-failure.js';

const EXIT_ORPHANED = 3;
const EXIT_DEFECT = 70;

/** Resolves when the message is on its way. */
const say = (message: RoleMessage): Promise<void> => new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()));

async function main(): Promise<void> {
  const config = loadArchiveConfig();
  const { roles, logLevel, databaseUrl } = config.get(ArchiveConfig);
  const group = groupsFor(roles).find(({ name }) => name === process.argv[2])!;
  const log = createLogger(group.name, logLevel);
  const defect = (err: unknown): void => {
    log.fatal({ err }, 'A defect of ours ended this process');
    process.exit(EXIT_DEFECT);
  };
  process.on('uncaughtException', defect).on('unhandledRejection', defect);
  const running = await runGroup({ group, config, databaseUrl: databaseUrl!, exchange: exchangeOfProcess(group, roles) });
  process.once('SIGTERM', () => {
    running.stop().then(() => process.exit(0), defect);
  });
  collectGarbage();
  await say({ kind: 'ready', identity: processIdentity(), healthPort: running.healthPort, controlSecret: running.controlSecret });
}

process.on('disconnect', () => process.exit(EXIT_ORPHANED));
// Ctrl-C reaches the whole foreground group; the order of stopping is the supervisor's.
process.on('SIGINT', () => {});
main().catch(async (error: unknown) => {
  createLogger('role', process.env['VNA_LOG_LEVEL']).debug({ err: error }, 'A role could not start');
  await say({ kind: 'failed', failure: toStartFailure(error) });
  process.exit(EXIT_CANNOT_START);
});
