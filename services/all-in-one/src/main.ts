// `npm start`: the whole archive. Prints where it answers when it is ready; Ctrl-C ends it in order.
import { createLogger } from '@perennia/telemetry';
import { ArchiveConfig } from './archive.config.js';
import { collectGarbage } from './collect-garbage.js';
import { endpointTable } from './endpoints.js';
import { loadArchiveConfig } from './load-archive-config.js';
import { EXIT_CANNOT_START, formatStartFailure, toStartFailure } from './start-failure.js';
import { Supervisor } from './supervisor.js';

async function main(): Promise<void> {
  const config = loadArchiveConfig();
  const log = createLogger('supervisor', config.get(ArchiveConfig).logLevel);
  const supervisor = new Supervisor(config, log);
  let stopping = false;
  const stop = (exitCode: number): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(exitCode || 1), supervisor.stopDeadlineMs).unref();
    supervisor.stop().then(
      () => process.exit(exitCode),
      (err: unknown) => {
        log.error({ err }, 'Stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', () => stop(0)).on('SIGTERM', () => stop(0)).on('SIGHUP', () => stop(0));
  try {
    await supervisor.start();
    process.stderr.write(endpointTable(config));
    collectGarbage();
  } catch (error) {
    if (stopping) return;
    log.debug({ err: error }, 'The archive could not start');
    process.stderr.write(formatStartFailure(toStartFailure(error)));
    stop(EXIT_CANNOT_START);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(formatStartFailure(toStartFailure(error)));
  process.exit(EXIT_CANNOT_START);
});
