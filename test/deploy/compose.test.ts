// The compose files, read as Compose reads them and held to rules; no container engine runs here.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { composeProblems, type Compose } from './compose-rules.js';

const folder = join(import.meta.dirname, '../../deploy');
const files = readdirSync(folder).filter((name) => /^compose\..*\.yaml$/.test(name));
const read = (name: string): Compose => parse(readFileSync(join(folder, name), 'utf8'), { merge: true, strict: true, uniqueKeys: true }) as Compose;

describe('compose files', () => {
  it.each(files)('%s keeps every rule', (name) => {
    expect(composeProblems(read(name))).toEqual([]);
  });

  it('given the cluster, then every role runs, what is called in two copies, and those that receive have names of their own', () => {
    const services = Object.values(read('compose.cluster.yaml').services!).map(({ environment }) => environment ?? {});
    const roles = services.map(({ VNA_ROLES: role }) => role).filter((role) => role !== undefined);
    expect(roles.toSorted()).toEqual(['dicomweb', 'dicomweb', 'indexing', 'indexing', 'ingest', 'ingest', 'lifecycle', 'retrieve', 'retrieve']);
    const areas = services.filter(({ VNA_INSTANCE: instance }) => instance !== undefined).map(({ VNA_ROLES: role, VNA_INSTANCE: instance }) => `${String(role)}-${String(instance)}`);
    expect(areas.toSorted()).toEqual(['dicomweb-1', 'dicomweb-2', 'ingest-1', 'ingest-2', 'retrieve-1', 'retrieve-2']);
  });

  it('given the cluster, then the balancer asks the health port of every copy that is called, and nothing else', () => {
    const { services, configs } = read('compose.cluster.yaml');
    const lines = readFileSync(join(folder, configs!['balancer']!.file), 'utf8').split('\n').map((line) => line.trim());
    const targets = lines.filter((line) => line.startsWith('server ')).map((line) => line.split(' ')[2]);
    expect(targets).toEqual(['ingest-1:11112', 'ingest-2:11112', 'retrieve-1:11112', 'retrieve-2:11112', 'dicomweb-1:8080', 'dicomweb-2:8080']);
    for (const target of targets) expect(services![target!.split(':')[0]!]!.environment).toMatchObject({ VNA_HEALTH_HOST: '0.0.0.0' });
    expect(lines.find((line) => line.startsWith('default-server'))).toContain('check port 8081');
  });

  it('given the cluster, then nothing waits to be filled in by a later release', () => {
    for (const { name } of readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile())) expect([name, readFileSync(join(folder, name), 'utf8')]).toEqual([name, expect.not.stringMatching(/>>>|arriving/)]);
  });

  it('given the cluster, then what has to be given is listed in the example, which holds no value', () => {
    const wanted = new Set([...readFileSync(join(folder, 'compose.cluster.yaml'), 'utf8').matchAll(/\$\{([A-Z0-9_]+)/g)].map(([, name]) => name!));
    const lines = readFileSync(join(folder, 'cluster.env.example'), 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines.toSorted()).toEqual([...wanted].toSorted().map((name) => `${name}=`));
  });

  const good = { image: 'perennia:0.1.0', environment: {}, volumes: ['data:/data'], tmpfs: ['/tmp'], read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'], stop_grace_period: '15s', restart: 'unless-stopped' };
  it.each([
    ['latest', { image: 'postgres:latest' }, 'not pinned'],
    ['no tag', { image: 'postgres' }, 'not pinned'],
    ['a key that Compose does not know', { ...good, enviroment: {} }, 'unknown key enviroment'],
    ['a password', { ...good, environment: { POSTGRES_PASSWORD: 'secret' } }, 'is a secret in the file'],
    ['a default password', { ...good, environment: { POSTGRES_PASSWORD: '${PASSWORD:-perennia}' } }, 'has a default'],
    ['a password in a URL', { ...good, environment: { VNA_DATABASE_URL: 'postgres://a:b@c/d' } }, 'holds a password'],
    ['a misspelt setting', { ...good, environment: { VNA_INGEST_PROT: '104' } }, 'VNA_INGEST_PROT is no setting'],
    ['a value out of bounds', { ...good, environment: { VNA_INGEST_PORT: '99999' } }, 'ingest.port'],
    ['a listener for strangers', { ...good, environment: { VNA_INGEST_HOST: '0.0.0.0' } }, 'strangers could reach patient data'],
    ['a port for everybody', { ...good, ports: ['8080:8080'] }, 'beyond this machine'],
    ['no volume', { ...good, volumes: [] }, 'is lost with its container'],
    ['a folder of the machine', { ...good, volumes: ['/var/run/docker.sock:/x', 'data:/data'] }, 'of the machine'],
    ['a file system that can be written', { ...good, read_only: false }, 'can be written'],
    ['a stop that cuts associations off', { ...good, environment: { VNA_INGEST_SHUTDOWN_GRACE: '30s' } }, 'killed before it has stopped'],
    ['a stop that cuts queries off', { ...good, environment: { VNA_RETRIEVE_SHUTDOWN_GRACE: '30s' } }, 'killed before it has stopped'],
    ['a query listener for strangers', { ...good, environment: { VNA_ROLES: 'retrieve', VNA_RETRIEVE_HOST: '0.0.0.0' } }, 'strangers could reach patient data'],
    ['a config that is not there', { ...good, configs: [{ source: 'nothing', target: '/x' }] }, 'config nothing is not declared'],
    ['an unknown neighbour', { ...good, depends_on: { nobody: {} } }, 'nobody, which is not there'],
  ])('given %s, then a rule says so', (_, service, sentence) => {
    expect(composeProblems({ services: { one: service }, volumes: { data: {} } }).join('\n')).toContain(sentence);
  });
});
