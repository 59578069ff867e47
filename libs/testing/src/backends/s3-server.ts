// A real S3 server for tests: versitygw on a folder, in a container or as a local process, that can be killed and started again. Where S3_ENDPOINT names a
// server (with S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY and S3_REGION), tests that need not kill it use that one, in buckets of their own:
//   S3_ENDPOINT=http://127.0.0.1:9000 S3_ACCESS_KEY_ID=… S3_SECRET_ACCESS_KEY=… npm test -- libs/adapters/object-store-s3
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../promise/product.js';
import { backendCache, cached, runOrThrow } from './backend-cache.js';
import { ContainerProcess, haveContainers } from './container-process.js';
import { LocalProcess } from './local-process.js';
import { makeLoopbackCertificate } from './loopback-certificate.js';
import { s3RequestOrThrow, type S3Access } from './s3-request.js';
import type { ServerProcess } from './server-process.js';

export interface S3BucketOptions {
  versioning?: boolean;
  /** Object Lock, which brings versioning with it. */
  objectLock?: boolean;
}

const VERSION = '1.8.0';
const REGION = 'us-east-1';
/** Where the server is, in the cache of backends. */
const S3_SERVER = `versitygw-${VERSION}`;
const IMAGE = `versity/versitygw:v${VERSION}`;

export class S3Server {
  private constructor(
    readonly access: S3Access,
    private readonly directory?: string,
    private readonly server?: ServerProcess,
  ) {}

  /** Whether tests can have a server of their own. */
  static canStart(): boolean {
    return haveContainers() || existsSync(join(backendCache, S3_SERVER)) || spawnSync('go', ['version']).status === 0;
  }

  /** A server of the test's own. With `tls` it has a certificate for loopback, which `caFile` vouches for; `under`: folder that its own is made in. */
  static async start(options: { tls?: boolean; under?: string } = {}): Promise<S3Server> {
    const directory = mkdtempSync(join(options.under ?? tmpdir(), 'perennia-s3-'));
    for (const name of ['data', 'versions', 'users']) mkdirSync(join(directory, name));
    const port = await freePort();
    const access = { endpoint: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`, region: REGION, accessKeyId: 'test-root', secretAccessKey: randomBytes(20).toString('hex') };
    // For requests of the test itself; the store under test is given the file.
    const trusted = (): S3Access => (options.tls ? { ...access, ca: readFileSync(join(directory, 'ca.pem'), 'utf8') } : access);
    const certificate = options.tls ? ['--cert', join(directory, 'ca.pem'), '--key', join(directory, 'key.pem')] : [];
    if (options.tls) makeLoopbackCertificate(directory);
    const parameters = [
      '--port', `127.0.0.1:${port}`, '--region', REGION, '--quiet', '--keep-alive', '--iam-dir', join(directory, 'users'), ...certificate,
      'posix', '--versioning-dir', join(directory, 'versions'), join(directory, 'data'),
    ];
    const serving = { directory, port, environment: { ROOT_ACCESS_KEY: access.accessKeyId, ROOT_SECRET_KEY: access.secretAccessKey }, parameters };
    const server = haveContainers()
      ? new ContainerProcess({ ...serving, image: IMAGE, entrypoint: ['versitygw'] })
      : new LocalProcess({ ...serving, command: join(await cached(S3_SERVER, build), 'versitygw') });
    await server.start();
    return new S3Server(trusted(), directory, server);
  }

  /** The server that the environment names, else one of the test's own. */
  static async use(): Promise<S3Server> {
    const { S3_ENDPOINT: endpoint, S3_REGION: region = REGION, S3_ACCESS_KEY_ID: accessKeyId = '', S3_SECRET_ACCESS_KEY: secretAccessKey = '' } = process.env;
    return endpoint === undefined ? S3Server.start() : new S3Server({ endpoint, region, accessKeyId, secretAccessKey });
  }

  /** PEM of the authority to trust, with `tls`. */
  get caFile(): string {
    return join(this.directory!, 'ca.pem');
  }

  /** A new bucket; answers its name. */
  async createBucket({ versioning = false, objectLock = false }: S3BucketOptions = {}): Promise<string> {
    const name = `perennia-test-${randomBytes(8).toString('hex')}`;
    const lock: Record<string, string> = objectLock ? { 'x-amz-bucket-object-lock-enabled': 'true' } : {};
    await s3RequestOrThrow(this.access, { method: 'PUT', path: `/${name}`, headers: lock });
    if (versioning) await this.setVersioning(name, 'Enabled');
    return name;
  }

  async setVersioning(bucket: string, status: 'Enabled' | 'Suspended'): Promise<void> {
    const body = `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>${status}</Status></VersioningConfiguration>`;
    await s3RequestOrThrow(this.access, { method: 'PUT', path: `/${bucket}`, query: { versioning: '' }, body });
  }

  /** A user who may do in the bucket what is listed, and nothing else; for a server of the test's own. */
  async createUser(bucket: string, actions: readonly string[]): Promise<S3Access> {
    const user = { ...this.access, accessKeyId: `user-${randomBytes(4).toString('hex')}`, secretAccessKey: randomBytes(20).toString('hex') };
    const account = `<Account><Access>${user.accessKeyId}</Access><Secret>${user.secretAccessKey}</Secret><Role>user</Role></Account>`;
    await s3RequestOrThrow(this.access, { method: 'PATCH', path: '/create-user', body: account });
    const statement = { Effect: 'Allow', Principal: { AWS: [user.accessKeyId] }, Action: actions, Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`] };
    await s3RequestOrThrow(this.access, { method: 'PUT', path: `/${bucket}`, query: { policy: '' }, body: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }) });
    return user;
  }

  async kill(): Promise<void> {
    await this.server?.kill();
  }

  /** After `kill`, on the same data. */
  async restart(): Promise<void> {
    await this.server?.start();
  }

  async remove(): Promise<void> {
    await this.server?.remove();
    if (this.directory) rmSync(this.directory, { recursive: true, force: true });
  }
}

function build(folder: string): void {
  process.stderr.write(`Building versitygw ${VERSION} (two to three minutes, once)\n`);
  const into = join(folder, 'go');
  runOrThrow(goCommand(), ['install', '-ldflags=-s -w', `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`], { GOBIN: into, GOFLAGS: '-trimpath' });
  renameSync(join(into, 'versitygw'), join(folder, 'versitygw'));
  rmSync(into, { recursive: true });
}

/** From 1.21 on Go fetches the version that a module asks for by itself; for an older one (Debian 12 has 1.19) it is a module like any other. */
function goCommand(): string {
  const [version = '', system = '', processor = ''] = runOrThrow('go', ['env', 'GOVERSION', 'GOOS', 'GOARCH']).trim().split('\n');
  if (Number(version.match(/^go1\.(\d+)/)?.[1]) >= 21) return 'go';
  const { Dir } = JSON.parse(runOrThrow('go', ['mod', 'download', '-json', `golang.org/toolchain@v0.0.1-go1.25.0.${system}-${processor}`])) as { Dir: string };
  const tools = join(Dir, 'pkg', 'tool', `${system}_${processor}`);
  for (const program of [join(Dir, 'bin', 'go'), ...readdirSync(tools).map((name) => join(tools, name))]) chmodSync(program, 0o755);
  return join(Dir, 'bin', 'go');
}
