// Tests need peers that not every machine has. Where one is missing its tests are skipped and say so; where VNA_REQUIRE_BACKENDS
// names it (continuous checks do), its absence is a failure.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { backendCache } from './backends/backend-cache.js';
import { haveBaselines } from './backends/baselines.js';
import { HELM } from './backends/helm.js';
import { KafkaBroker } from './backends/kafka-broker.js';
import { S3Server } from './backends/s3-server.js';

export type Backend = 'dcmtk' | 'python' | 'corpus' | 'strace' | 'powercut' | 'kafka' | 's3' | 'baseline' | 'helm';

const repository = resolve(fileURLToPath(new URL('.', import.meta.url)), '../../..');
/** Real DICOM files beside the checkout; never part of the project. */
export const corpusDirectory = join(repository, '..', 'shared', 'data', 'dicom');

const runs = (command: string, ...parameters: string[]): boolean => spawnSync(command, parameters, { stdio: 'ignore' }).status === 0;
const present: Record<Backend, () => boolean> = {
  dcmtk: () => ['echoscu', 'storescu', 'dcmsend'].every((tool) => dcmtkTool(tool) !== undefined),
  python: () => runs('python3', '-c', 'import pynetdicom, pydicom, dicomweb_client'),
  corpus: () => existsSync(join(corpusDirectory, 'expected.json')),
  strace: () => runs('strace', '-qq', '-e', 'trace=none', 'true'),
  // In the order in which they are taken: what the environment names, a container, a process of this machine.
  kafka: () => process.env['KAFKA_BROKERS'] !== undefined || KafkaBroker.canStart(),
  s3: () => process.env['S3_ENDPOINT'] !== undefined || S3Server.canStart(),
  baseline: haveBaselines,
  helm: () => runs('kubernetes-validate', '--version') && (existsSync(join(backendCache, HELM)) || runs('go', 'version')),
  powercut: () => process.getuid?.() === 0 && runs('losetup', '-f') && runs('mkfs.ext4', '-V'),
};

/** The path of a dcmtk program; pynetdicom installs programs of the same names, which are passed over. */
export function dcmtkTool(name: string): string | undefined {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name));
  return candidates.find((path) => existsSync(path) && spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.startsWith('$dcmtk'));
}

/**
 * Whether tests that need the backend can run.
 * @throws when it is missing though VNA_REQUIRE_BACKENDS names it
 */
export function hasBackend(backend: Backend): boolean {
  return isThere(backend, present[backend](), 'it is not on this machine');
}

/** The same for servers of the test's own, which it kills, fills or starts with settings of its own: one that the environment names will not do. */
export function hasOwn(...servers: (keyof typeof ownServers)[]): boolean {
  return servers.every((server) => isThere(server, ownServers[server](), 'no server of their own can be started here'));
}
const ownServers = { kafka: () => KafkaBroker.canStart(), s3: () => S3Server.canStart() };

function isThere(backend: Backend, found: boolean, why: string): boolean {
  if (found) return true;
  const required = (process.env['VNA_REQUIRE_BACKENDS'] ?? '').split(',').includes(backend);
  if (required) throw new Error(`The backend "${backend}" is required here (VNA_REQUIRE_BACKENDS): ${why}.`);
  process.stderr.write(`SKIPPING tests that need "${backend}": ${why}.\n`);
  return false;
}
