// The services apart, as a cluster runs them: each copy a product of its own with one role, on a real Kafka broker, S3 server and PostgreSQL.
// Copies of a service that is listened to stand behind one address.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger } from '@perennia/telemetry';
import { EmbeddedPostgres } from '@perennia/postgres-embedded';
import { KafkaBroker } from '../backends/kafka-broker.js';
import { S3Server } from '../backends/s3-server.js';
import { TcpBalancer } from '../peers/tcp-balancer.js';
import { freePort, Product } from './product.js';

const ROLES = ['ingest', 'indexing', 'lifecycle', 'dicomweb', 'retrieve'] as const;
type Role = (typeof ROLES)[number];
/** Role and copy: `ingest-a`. */
export type MemberName = `${Role}-${string}`;

export interface ClusterOptions {
  directory: string;
  /** How many copies of each. Default one, and none of retrieve. */
  copies?: Partial<Record<Role, number>>;
  environment?: Record<string, string>;
  /** Where the S3 server is reached: a proxy before it, for instance. Default the server itself. */
  s3Endpoint?: string;
}

const COPY_NAMES = ['a', 'b', 'c', 'd'];
const DEFAULT_COPIES = { ingest: 1, indexing: 1, lifecycle: 1, dicomweb: 1, retrieve: 0 };
export const LANDING_TIER_NAME = 'objects';

export class Cluster {
  readonly members = new Map<MemberName, Product>();
  private readonly balancers: TcpBalancer[] = [];
  /** Of the address before all copies that listen for DICOM, before those that serve DICOMweb, and before those that answer queries. */
  dicomPort = 0;
  httpPort = 0;
  queryPort = 0;

  private constructor(
    readonly options: ClusterOptions,
    readonly broker: KafkaBroker,
    readonly s3: S3Server,
    readonly postgres: EmbeddedPostgres,
    readonly environment: Record<string, string>,
  ) {}

  static async start(options: ClusterOptions): Promise<Cluster> {
    const { directory } = options;
    mkdirSync(directory, { recursive: true });
    const [broker, s3, postgres] = await Promise.all([
      KafkaBroker.start(), S3Server.start(), EmbeddedPostgres.start({ dataDir: join(directory, 'postgres'), log: createLogger('cluster-database', 'silent') }),
    ]);
    const bucket = await s3.createBucket();
    writeFileSync(join(directory, 'secret'), s3.access.secretAccessKey);
    const tier = {
      name: LANDING_TIER_NAME, kind: 's3', endpoint: options.s3Endpoint ?? s3.access.endpoint, bucket, accessKeyId: s3.access.accessKeyId,
      secretAccessKeyFile: join(directory, 'secret'),
    };
    const cluster = new Cluster(options, broker, s3, postgres, {
      VNA_DATABASE_URL: postgres.url,
      VNA_KAFKA_BROKERS: broker.brokers.join(','), VNA_KAFKA_PARTITIONS: '8', VNA_KAFKA_REPLICATION: '1',
      VNA_STORAGE_TIERS: JSON.stringify([tier]), VNA_STORAGE_HOT: LANDING_TIER_NAME, VNA_STORAGE_LANDING: LANDING_TIER_NAME,
      VNA_LOG_LEVEL: 'warn',
      ...options.environment,
    });
    await cluster.startMembers();
    return cluster;
  }

  get web(): string {
    return `http://127.0.0.1:${this.httpPort}/dicom-web`;
  }

  member(name: MemberName): Product {
    const found = this.members.get(name);
    if (!found) throw new Error(`There is no member ${name} in this cluster.`);
    return found;
  }

  membersOf(role: Role): Product[] {
    return [...this.members].filter(([name]) => name.startsWith(`${role}-`)).map(([, product]) => product);
  }

  async untilReady(timeoutMs = 120_000): Promise<void> {
    await Promise.all([...this.members.values()].map((each) => each.untilReady(timeoutMs)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.balancers.map((each) => each.close()));
    await Promise.all([...this.members.values()].map((each) => each.stop()));
    await Promise.all([this.broker.remove(), this.s3.remove(), this.postgres.stop()]);
  }

  /** One after the other: the first brings the schema up to date. */
  private async startMembers(): Promise<void> {
    const { directory } = this.options;
    const copies = { ...DEFAULT_COPIES, ...this.options.copies };
    for (const role of ROLES) {
      for (const copy of COPY_NAMES.slice(0, copies[role])) {
        const environment = { ...this.environment, VNA_ROLES: role, VNA_INSTANCE: copy, VNA_RETRIEVE_PORT: String(await freePort()) };
        this.members.set(`${role}-${copy}`, await Product.start({ dataDirectory: join(directory, `${role}-${copy}`), environment }));
      }
    }
    this.dicomPort = await this.balance(this.membersOf('ingest').map(({ dicomPort }) => dicomPort));
    this.queryPort = await this.balance(this.membersOf('retrieve').map(({ options }) => Number(options.environment!['VNA_RETRIEVE_PORT'])));
    this.httpPort = await this.balance(this.membersOf('dicomweb').map(({ httpPort }) => httpPort));
  }

  private async balance(ports: readonly number[]): Promise<number> {
    const balancer = await TcpBalancer.start(ports);
    this.balancers.push(balancer);
    return balancer.port;
  }
}
