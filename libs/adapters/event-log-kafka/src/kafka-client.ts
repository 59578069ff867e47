// One client of a cluster, and what its errors mean for us. Whatever may pass is an UnavailableError, which callers wait out; what
// only an administrator can change is a ConfigurationError that says what to do.
import { ArchiveError, ConfigurationError, LimitExceededError, UnavailableError } from '@perennia/errors';
import type { Logger } from '@perennia/telemetry';
import kafkajs, { type Kafka, type SASLOptions } from 'kafkajs';

// Node finds no names in what the package exports, so they are taken from the whole of it.
const { KafkaJSError, KafkaJSNumberOfRetriesExceeded, logLevel } = kafkajs;

export interface KafkaConnection {
  /** host:port of some brokers; the others are learnt from them. */
  brokers: readonly string[];
  clientId: string;
  /** Absent: no encryption. `ca` in PEM; without it the system's authorities are trusted. */
  tls?: { ca?: string };
  /** SCRAM; the password is used over TLS or on a trusted network only. */
  sasl?: { mechanism: 'scram-sha-256' | 'scram-sha-512'; username: string; password: string };
  /** How often a request is tried again. Default 10: half a minute in all, because a broker that starts again after a crash needs up to twelve seconds. */
  retries?: number;
}

const CONNECT_TIMEOUT_MS = 3000;
const REQUEST_TIMEOUT_MS = 30_000;
const RETRIES = 10;
const RETRY_PAUSES = { initialRetryTime: 100, maxRetryTime: 5000, multiplier: 2 };

export function kafkaClient({ brokers, clientId, tls, sasl, retries = RETRIES }: KafkaConnection, log: Logger): Kafka {
  return new kafkajs.Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // On the client too: with its own five retries a request fails while a broker is away for some seconds.
    retry: { ...RETRY_PAUSES, retries },
    ...(tls && { ssl: tls.ca === undefined ? true : { ca: [tls.ca] } }),
    ...(sasl && { sasl: sasl as SASLOptions }),
    logLevel: logLevel.WARN,
    logCreator: () => ({ log: { message, logger: _logger, timestamp: _timestamp, ...facts } }) => log.debug({ kafka: facts }, message),
  });
}

/** What went wrong, in terms of the archive. */
export function kafkaError(cause: unknown, doing: string): ArchiveError {
  if (cause instanceof ArchiveError) return cause;
  const type = typeOf(cause);
  const configuration = CONFIGURATION[type];
  if (configuration) return new ConfigurationError(`Kafka refuses to ${doing} (${type}).`, { cause, remedy: configuration });
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') {
    return new LimitExceededError(`Kafka refuses to ${doing}: a record is larger than the topic takes.`, { cause, remedy: 'Set max.message.bytes of the topic to 1 MiB or more.' });
  }
  return new UnavailableError(`Kafka could not ${doing} (${type}).`, { cause, remedy: 'Check that the brokers run and can be reached. It is tried again.' });
}

/** The name of the protocol's error, or of the class where there is none. */
export function typeOf(error: unknown): string {
  if (error instanceof KafkaJSNumberOfRetriesExceeded && error.cause) return typeOf(error.cause);
  const [first] = error instanceof Error ? ((error as { errors?: unknown[] }).errors ?? []) : [];
  if (first !== undefined) return typeOf(first);
  if (error instanceof ArchiveError && error.cause !== undefined) return typeOf(error.cause);
  if (error instanceof KafkaJSError) return (error as { type?: string }).type ?? error.name;
  return error instanceof Error ? error.name : 'unknown';
}

const CREDENTIALS = 'Check user name, password and mechanism (VNA_KAFKA_USERNAME, VNA_KAFKA_PASSWORD, VNA_KAFKA_MECHANISM).';
const PERMISSION = 'Give the user of the archive this permission on the cluster.';
const CONFIGURATION: Readonly<Record<string, string | undefined>> = {
  KafkaJSSASLAuthenticationError: CREDENTIALS,
  SASL_AUTHENTICATION_FAILED: CREDENTIALS,
  UNSUPPORTED_SASL_MECHANISM: CREDENTIALS,
  TOPIC_AUTHORIZATION_FAILED: PERMISSION,
  GROUP_AUTHORIZATION_FAILED: PERMISSION,
  CLUSTER_AUTHORIZATION_FAILED: PERMISSION,
  UNKNOWN_TOPIC_OR_PARTITION: 'Create the topics with "vna topics --create".',
  INVALID_REPLICATION_FACTOR: 'Set VNA_KAFKA_REPLICATION to at most the number of brokers.',
};
