// A real Kafka broker for tests, from its jars as a local process: it can be killed and started again.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../promise/product.js';
import { cached, runOrThrow } from './backend-cache.js';
import { LocalProcess } from './local-process.js';

export type KafkaSecurity = 'plain' | 'sasl' | 'sasl_tls';

export const KAFKA_USER = 'perennia';
export const KAFKA_PASSWORD = 'only-for-tests';

const pom = fileURLToPath(new URL('../../src/backends/kafka-pom.xml', import.meta.url));
const VERSION = '4.3.1';
/** Where the jars are, in the cache of backends. */
export const KAFKA_JARS = `kafka-${VERSION}`;
const PROTOCOLS: Record<KafkaSecurity, string> = { plain: 'PLAINTEXT', sasl: 'SASL_PLAINTEXT', sasl_tls: 'SASL_SSL' };
/** Quick to start, small, no archive of classes: tests start many. */
const JVM = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-XX:MaxDirectMemorySize=128m', '-XX:+ExitOnOutOfMemoryError', '-Djava.awt.headless=true'];
const LOGGING = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dorg.slf4j.simpleLogger.log.kafka.server=info'];

export class KafkaBroker {
  private constructor(
    private readonly directory: string,
    private readonly server: LocalProcess,
    readonly port: number,
  ) {}

  static async start(security: KafkaSecurity = 'plain'): Promise<KafkaBroker> {
    const jars = await cached(KAFKA_JARS, (folder) => {
      process.stderr.write(`Fetching the jars of Kafka ${VERSION} (45 MB, once)\n`);
      runOrThrow('mvn', ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`]);
    });
    const directory = mkdtempSync(join(tmpdir(), 'perennia-kafka-'));
    const [port, controllerPort] = [await freePort(), await freePort()];
    const properties = join(directory, 'server.properties');
    if (security === 'sasl_tls') makeCertificate(directory);
    writeFileSync(properties, propertiesOf(directory, port, controllerPort, security));
    format(jars, properties, security);
    const server = new LocalProcess({
      command: 'java', parameters: ['-Xms96m', '-Xmx320m', ...JVM, ...LOGGING, '-cp', join(jars, '*'), 'kafka.Kafka', properties],
      logFile: join(directory, 'broker.log'), port, readyLine: 'Kafka Server started',
    });
    const broker = new KafkaBroker(directory, server, port);
    await server.start();
    return broker;
  }

  get brokers(): string[] {
    return [`127.0.0.1:${this.port}`];
  }
  /** PEM of the authority to trust, with `sasl_tls`. */
  get caFile(): string {
    return join(this.directory, 'ca.pem');
  }

  kill(): Promise<void> {
    return this.server.kill();
  }

  /** After `kill`, on the same data. */
  restart(): Promise<void> {
    return this.server.start();
  }

  async remove(): Promise<void> {
    await this.server.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function format(jars: string, properties: string, security: KafkaSecurity): void {
  const tool = ['-Xmx128m', ...JVM, '-cp', join(jars, '*'), 'kafka.tools.StorageTool'];
  const id = runOrThrow('java', [...tool, 'random-uuid']).trim().split('\n').at(-1)!;
  const users = security === 'plain' ? [] : ['--add-scram', `SCRAM-SHA-512=[name=${KAFKA_USER},password=${KAFKA_PASSWORD}]`];
  runOrThrow('java', [...tool, 'format', '-t', id, '-c', properties, ...users]);
}

/** A throw-away self-signed certificate for loopback. */
function makeCertificate(directory: string): void {
  const store = ['-alias', 'broker', '-storetype', 'PKCS12', '-keystore', join(directory, 'server.p12'), '-storepass', 'changeit'];
  runOrThrow('keytool', ['-genkeypair', ...store, '-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '3650', '-dname', 'CN=localhost', '-ext', 'SAN=dns:localhost,ip:127.0.0.1']);
  runOrThrow('keytool', ['-exportcert', '-rfc', ...store.filter((_, at) => at !== 2 && at !== 3), '-file', join(directory, 'ca.pem')]);
}

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
