// A real Kafka broker for tests, in a container or from its jars as a local process: it can be killed and started again. Where KAFKA_BROKERS names
// one, tests that need not kill it use that one.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../promise/product.js';
import { backendCache, cached, runOrThrow } from './backend-cache.js';
import { ContainerProcess, haveContainers } from './container-process.js';
import { LocalProcess } from './local-process.js';
import { makeLoopbackCertificate } from './loopback-certificate.js';
import type { ServerProcess } from './server-process.js';

export type KafkaSecurity = 'plain' | 'sasl' | 'sasl_tls';

export const KAFKA_USER = 'perennia';
export const KAFKA_PASSWORD = 'only-for-tests';

const pom = fileURLToPath(new URL('../../src/backends/kafka-pom.xml', import.meta.url));
const VERSION = '4.3.1';
/** Where the jars are, in the cache of backends. */
const KAFKA_JARS = `kafka-${VERSION}`;
const IMAGE = `apache/kafka:${VERSION}`;
const JARS_IN_IMAGE = '/opt/kafka/libs';
const PROTOCOLS: Record<KafkaSecurity, string> = { plain: 'PLAINTEXT', sasl: 'SASL_PLAINTEXT', sasl_tls: 'SASL_SSL' };
/** Quick to start, small, no archive of classes: tests start many. */
const JVM = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-XX:MaxDirectMemorySize=128m', '-XX:+ExitOnOutOfMemoryError', '-Djava.awt.headless=true'];
const HEAP = ['-Xms96m', '-Xmx320m'];
const LOGGING = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dorg.slf4j.simpleLogger.log.kafka.server=info'];

export class KafkaBroker {
  private constructor(
    readonly brokers: string[],
    private readonly directory?: string,
    private readonly server?: ServerProcess,
  ) {}

  /** Whether tests can have a broker of their own, to kill or to fill. */
  static canStart(): boolean {
    return haveContainers() || (runs('java', '-version') && (existsSync(join(backendCache, KAFKA_JARS)) || runs('mvn', '-v')));
  }

  /** The broker that the environment names, else one of the test's own. */
  static async use(): Promise<KafkaBroker> {
    const named = process.env['KAFKA_BROKERS'];
    return named === undefined ? KafkaBroker.start() : new KafkaBroker(named.split(',').map((each) => each.trim()));
  }

  /** @param under folder that its own is made in */
  static async start(security: KafkaSecurity = 'plain', under = tmpdir()): Promise<KafkaBroker> {
    const directory = mkdtempSync(join(under, 'perennia-kafka-'));
    const [port, controllerPort] = [await freePort(), await freePort()];
    const properties = join(directory, 'server.properties');
    if (security === 'sasl_tls') makeKeyStore(directory);
    writeFileSync(properties, propertiesOf(directory, port, controllerPort, security));
    const serving = { directory, port, readyLine: 'Kafka Server started' };
    const server = haveContainers() ? inContainer(serving, properties, security) : await asProcess(serving, properties, security);
    await server.start();
    return new KafkaBroker([`127.0.0.1:${port}`], directory, server);
  }

  /** PEM of the authority to trust, with `sasl_tls`. */
  get caFile(): string {
    return join(this.directory!, 'ca.pem');
  }

  async kill(): Promise<void> {
    await this.own().kill();
  }

  /** After `kill`, on the same data. */
  async restart(): Promise<void> {
    await this.own().start();
  }

  async remove(): Promise<void> {
    await this.server?.remove();
    if (this.directory) rmSync(this.directory, { recursive: true, force: true });
  }

  private own(): ServerProcess {
    if (!this.server) throw new Error('The broker that KAFKA_BROKERS names is not the test\'s to kill.');
    return this.server;
  }
}

interface Serving {
  directory: string;
  port: number;
  readyLine: string;
}

async function asProcess(serving: Serving, properties: string, security: KafkaSecurity): Promise<ServerProcess> {
  const jars = await cached(KAFKA_JARS, (folder) => {
    process.stderr.write(`Fetching the jars of Kafka ${VERSION} (45 MB, once)\n`);
    runOrThrow('mvn', ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`]);
  });
  runOrThrow('java', formatting(jars, properties, security));
  return new LocalProcess({ ...serving, command: 'java', parameters: [...HEAP, ...JVM, ...LOGGING, '-cp', join(jars, '*'), 'kafka.Kafka', properties] });
}

/** Formatting changes nothing where it was done before: also when it is started again. */
function inContainer(serving: Serving, properties: string, security: KafkaSecurity): ServerProcess {
  const quoted = (parameters: readonly string[]): string => ['java', ...parameters].map((each) => `'${each}'`).join(' ');
  const logging = [...LOGGING, '-Dlog4j2.configurationFile=/opt/kafka/config/log4j2.yaml', `-Dkafka.logs.dir=${serving.directory}`];
  const serve = quoted([...HEAP, ...JVM, ...logging, '-cp', join(JARS_IN_IMAGE, '*'), 'kafka.Kafka', properties]);
  return new ContainerProcess({ ...serving, image: IMAGE, entrypoint: ['/bin/sh', '-c'], parameters: [`${quoted(formatting(JARS_IN_IMAGE, properties, security))} && exec ${serve}`] });
}

function formatting(jars: string, properties: string, security: KafkaSecurity): string[] {
  const users = security === 'plain' ? [] : ['--add-scram', `SCRAM-SHA-512=[name=${KAFKA_USER},password=${KAFKA_PASSWORD}]`];
  const clusterId = randomBytes(16).toString('base64url');
  return ['-Xmx128m', ...JVM, '-cp', join(jars, '*'), 'kafka.tools.StorageTool', 'format', '--ignore-formatted', '-t', clusterId, '-c', properties, ...users];
}

/** A throw-away certificate for loopback in a key store. */
function makeKeyStore(directory: string): void {
  makeLoopbackCertificate(directory);
  const from = ['-inkey', join(directory, 'key.pem'), '-in', join(directory, 'ca.pem')];
  runOrThrow('openssl', ['pkcs12', '-export', ...from, '-name', 'broker', '-out', join(directory, 'server.p12'), '-passout', 'pass:changeit']);
}

const runs = (command: string, ...parameters: string[]): boolean => spawnSync(command, parameters, { stdio: 'ignore' }).status === 0;

function propertiesOf(directory: string, port: number, controllerPort: number, security: KafkaSecurity): string {
  const data = join(directory, 'data');
  mkdirSync(data);
  const lines = [
    'process.roles=broker,controller', 'node.id=1', `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=CLIENT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`, `advertised.listeners=CLIENT://127.0.0.1:${port}`,
    `listener.security.protocol.map=CLIENT:${PROTOCOLS[security]},CONTROLLER:PLAINTEXT`, 'inter.broker.listener.name=CLIENT', 'controller.listener.names=CONTROLLER',
    `log.dirs=${data}`,
    // One broker: every internal topic must make do with one replica.
    'offsets.topic.replication.factor=1', 'transaction.state.log.replication.factor=1', 'transaction.state.log.min.isr=1', 'default.replication.factor=1', 'min.insync.replicas=1',
    'offsets.topic.num.partitions=4', 'transaction.state.log.num.partitions=4', 'num.network.threads=2', 'num.io.threads=4', 'log.cleaner.dedupe.buffer.size=16777216',
    // A first consumer must not wait the three seconds that production brokers wait.
    'group.initial.rebalance.delay.ms=0',
    // After kill -9 the broker may register again only when its old session has run out, nine seconds by default.
    'broker.session.timeout.ms=3000', 'broker.heartbeat.interval.ms=500',
    // Tests name their topics: a typing error must fail.
    'auto.create.topics.enable=false',
  ];
  if (security !== 'plain') {
    lines.push(
      'sasl.enabled.mechanisms=SCRAM-SHA-512', 'sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512',
      `listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="${KAFKA_USER}" password="${KAFKA_PASSWORD}";`,
    );
  }
  if (security === 'sasl_tls') {
    lines.push(
      'ssl.keystore.type=PKCS12', `ssl.keystore.location=${join(directory, 'server.p12')}`, 'ssl.keystore.password=changeit', 'ssl.key.password=changeit',
      'ssl.truststore.type=PEM', `ssl.truststore.location=${join(directory, 'ca.pem')}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
