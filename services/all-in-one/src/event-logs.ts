// Which event log an installation has: Kafka where brokers are named, else PostgreSQL.
import { readFileSync } from 'node:fs';
import type { EffectiveConfig } from '@perennia/config';
import { DEFAULT_PARTITIONS } from '@perennia/contracts';
import { ConfigurationError } from '@perennia/errors';
import type { KafkaConnection, KafkaEventLog } from '@perennia/event-log-kafka';
import { PostgresEventLog } from '@perennia/event-log-postgres';
import type { EventLog } from '@perennia/messaging';
import { KafkaConfig } from '@perennia/messaging/kafka.config';
import type { Clock, Logger } from '@perennia/telemetry';

export interface EventLogOptions {
  config: EffectiveConfig;
  databaseUrl: string;
  /** Who connects, in the words of the brokers' logs. */
  clientName: string;
  /** Whether this process drops what is too old from a log that does not do so itself. */
  upkeep?: boolean;
  /** How often a request to a broker is tried again; default half a minute in all. */
  retries?: number;
  log: Logger;
  clock: Clock;
}

/** Three quarters of a second: enough for a broker that runs. */
const QUICK_RETRIES = 2;

export const usesKafka = (config: EffectiveConfig): boolean => config.get(KafkaConfig).brokers.length > 0;

/** Brokers need not be there yet: what is appended waits for them. @throws UnavailableError for the log in PostgreSQL, ConfigurationError */
export async function openEventLog(options: EventLogOptions): Promise<EventLog> {
  const { databaseUrl, upkeep = false, log, clock } = options;
  if (usesKafka(options.config)) return openKafka(options);
  return PostgresEventLog.open({ url: databaseUrl, partitions: DEFAULT_PARTITIONS, upkeep, log, clock });
}

/** Loaded only where it is used: code that is not loaded takes no memory. */
export async function openKafka({ config, clientName, retries, log, clock }: EventLogOptions): Promise<KafkaEventLog> {
  const settings = config.get(KafkaConfig);
  const { KafkaEventLog } = await import('@perennia/event-log-kafka');
  return KafkaEventLog.connect({ connection: connectionOf(settings, clientName, retries), partitions: settings.partitions, log, clock });
}

/**
 * At a start: creates the topics that are missing. Brokers that are away are waited for by those who need them, since acquisition goes on without.
 * @returns the topics created; @throws ConfigurationError when they refuse us
 */
export async function prepareEventLog(options: EventLogOptions): Promise<string[]> {
  if (!usesKafka(options.config)) return [];
  const { createTopics } = await import('@perennia/event-log-kafka');
  const eventLog = await openKafka({ ...options, retries: QUICK_RETRIES });
  try {
    const created = await eventLog.withAdmin('create its topics', (admin) => createTopics(admin, options.config.get(KafkaConfig)));
    if (created.length > 0) options.log.info({ topics: created }, 'Topics of the event log created');
    return created;
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    options.log.warn({ err: error }, 'The event log cannot be reached: objects are taken in, and found when it is back');
    return [];
  } finally {
    await eventLog.close();
  }
}

function connectionOf({ brokers, tls, caFile, username, password, mechanism }: KafkaConfig, clientName: string, retries: number | undefined): KafkaConnection {
  if ((username === undefined) !== (password === undefined)) {
    throw new ConfigurationError('Only one of user name and password for Kafka is set.', { remedy: 'Set both VNA_KAFKA_USERNAME and VNA_KAFKA_PASSWORD, or neither.' });
  }
  if (caFile !== undefined && !tls) throw new ConfigurationError('A file of authorities for Kafka is named, but encryption is off.', { remedy: 'Set VNA_KAFKA_TLS=true.' });
  return {
    brokers,
    clientId: clientName.replaceAll(' ', '-'),
    ...(tls && { tls: caFile === undefined ? {} : { ca: readAuthorities(caFile) } }),
    ...(username !== undefined && { sasl: { mechanism, username, password: password! } }),
    ...(retries !== undefined && { retries }),
  };
}

function readAuthorities(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigurationError(`The file of authorities ${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, { cause, remedy: 'Name a PEM file with VNA_KAFKA_CA_FILE.' });
  }
}
