// `vna topics`: the topics of the event log on Kafka, held against their declaration; made where they are missing.
import type { Command } from 'commander';
import { openKafka, usesKafka } from '@perennia/all-in-one';
import { ConfigurationError } from '@perennia/errors';
import { KafkaConfig } from '@perennia/messaging/kafka.config';
import { createLogger, SystemClock } from '@perennia/telemetry';
import { ArchiveAccess } from '../archive-access.js';
import { columns, note, printResult, type CommandOptions } from '../command-output.js';

/** A quarter of a minute: somebody waits for the answer. */
const RETRIES = 5;

export function addTopicsCommand(program: Command): void {
  program
    .command('topics')
    .description('Compare the topics on the Kafka cluster with what the archive needs')
    .option('--create', 'create those that are missing')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit code 1 when one is missing or different. What exists is never changed.\n\nExample:\n  npx vna topics --create')
    .action(async (options: CommandOptions & { create?: boolean }) => {
      const { config } = new ArchiveAccess();
      if (!usesKafka(config)) {
        throw new ConfigurationError('The event log of this installation is in PostgreSQL: it has no topics to look after', { remedy: 'Name brokers with VNA_KAFKA_BROKERS to use Kafka' });
      }
      const { checkTopics, createTopics } = await import('@perennia/event-log-kafka');
      const settings = config.get(KafkaConfig);
      const eventLog = await openKafka({ config, databaseUrl: '', clientName: 'perennia vna', retries: RETRIES, log: createLogger('cli', 'error'), clock: new SystemClock() });
      try {
        const created = options.create ? await eventLog.withAdmin('create its topics', (admin) => createTopics(admin, settings)) : [];
        for (const topic of created) note(`${topic} created`);
        const findings = await eventLog.withAdmin('tell its topics', (admin) => checkTopics(admin, settings));
        printResult(options, { created, topics: findings }, () => columns(findings.map(({ topic, state, reason }) => [topic, state, reason ?? ''])));
        process.exitCode = findings.every(({ state }) => state === 'as declared') ? 0 : 1;
      } finally {
        await eventLog.close();
      }
    });
}
