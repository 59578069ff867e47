// The services of compose.cluster.yaml as plain processes: their environments and commands as written there, with the hosts, ports and folders of
// real local backends in the places of the containers' ones. What containers add (networks, volumes, the balancer's image) is not shown here.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EmbeddedPostgres } from '@perennia/postgres-embedded';
import { createLogger } from '@perennia/telemetry';
import { foundStudies, freePort, hasOwn, KafkaBroker, Ledger, PromiseChecker, PromiseSender, S3Server, TcpBalancer } from '@perennia/testing';
import { parse } from 'yaml';
import type { Compose } from './compose-rules.js';
import { commandOf, stagesOf, environmentOf as environmentOfImage } from './dockerfile.js';

const repository = join(import.meta.dirname, '../..');
const image = stagesOf(readFileSync(join(repository, 'deploy/Dockerfile'), 'utf8')).at(-1)!;
const { services } = parse(readFileSync(join(repository, 'deploy/compose.cluster.yaml'), 'utf8'), { merge: true }) as Compose;
const IN_ORDER_WITHIN_MS = 15_000;
const suite = hasOwn('kafka', 's3') ? describe : describe.skip;

interface Running {
  name: string;
  child: ChildProcess;
  ports: Record<'VNA_INGEST_PORT' | 'VNA_RETRIEVE_PORT' | 'VNA_DICOMWEB_PORT' | 'VNA_HEALTH_PORT', number>;
}

/** Where things are in the image, and where they are here. */
const here = (part: string): string => (part === 'vna' ? join(repository, 'deploy/vna') : part.replace('/opt/perennia', repository));

suite('compose.cluster.yaml', () => {
  const directory = mkdtempSync(join(tmpdir(), 'perennia-compose-'));
  const running: Running[] = [];
  let broker: KafkaBroker;
  let s3: S3Server;
  let postgres: EmbeddedPostgres;
  let stored: string[];

  beforeAll(async () => {
    const log = createLogger('compose-database', 'silent');
    await Promise.all([
      KafkaBroker.start().then((started) => (broker = started)),
      S3Server.start().then((started) => (s3 = started)),
      EmbeddedPostgres.start({ dataDir: join(directory, 'postgres'), log }).then((started) => (postgres = started)),
    ]);
  }, 300_000);
  afterAll(async () => {
    for (const { child } of running) if (child.exitCode === null) child.kill('SIGKILL');
    await Promise.all([broker?.remove(), s3?.remove(), postgres?.stop()]);
    rmSync(directory, { recursive: true, force: true });
  }, 60_000);

  /** As written, but for what belongs to the containers' network. */
  function environmentOf(name: string): Record<string, string> {
    const written = Object.fromEntries(Object.entries(services![name]!.environment!).map(([key, value]) => [key, String(value)]));
    const replaced: Record<string, string> = {
      ...environmentOfImage(image),
      ...written,
      VNA_DATA: join(directory, name),
      VNA_DATABASE_URL: postgres.url,
      VNA_KAFKA_BROKERS: written['VNA_KAFKA_BROKERS']!.replace('kafka:9092', broker.brokers.join(',')),
      VNA_STORAGE_TIERS: written['VNA_STORAGE_TIERS']!.replace('http://store:7070', s3.access.endpoint),
      AWS_ACCESS_KEY_ID: s3.access.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.access.secretAccessKey,
      // The network of the containers is loopback here.
      ...(written['VNA_SOURCES_PROFILES'] && { VNA_SOURCES_PROFILES: written['VNA_SOURCES_PROFILES'].replace('172.16.0.0/12', '127.0.0.0/8') }),
      VNA_LOG_LEVEL: 'warn',
    };
    const local = Object.entries(replaced).map(([key, value]) => [key, key.endsWith('_HOST') ? value.replace('0.0.0.0', '127.0.0.1') : value]);
    expect(JSON.stringify(local)).not.toMatch(/\$\{|:\/\/store|kafka:9092|@postgres/);
    return { PATH: '/usr/bin:/bin', ...(Object.fromEntries(local) as Record<string, string>) };
  }

  /** A service that does its work and ends. */
  function runOnce(name: string): string {
    const [program, ...parameters] = (services![name]!.command as string[]).map(here);
    // The script of the image names the image's folder.
    const [command, given] = program!.endsWith('deploy/vna') ? ['/bin/sh', ['-c', readFileSync(program!, 'utf8').replaceAll('/opt/perennia', repository), 'vna', ...parameters]] : [program!, parameters];
    const ended = spawnSync(command as string, given as string[], { env: environmentOf(name), encoding: 'utf8' });
    expect([name, ended.status, ended.stderr]).toEqual([name, 0, expect.any(String)]);
    return ended.stdout;
  }

  async function startService(name: string): Promise<void> {
    const ports = { VNA_INGEST_PORT: await freePort(), VNA_RETRIEVE_PORT: await freePort(), VNA_DICOMWEB_PORT: await freePort(), VNA_HEALTH_PORT: await freePort() };
    const own = Object.fromEntries(Object.entries(ports).map(([key, port]) => [key, String(port)]));
    mkdirSync(join(directory, name));
    const [program, ...parameters] = commandOf(image, 'CMD').map(here);
    const child = spawn(program!, parameters, { cwd: '/', env: { ...environmentOf(name), ...own }, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    await new Promise<void>((done, fail) => {
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        said += chunk;
        if (said.includes('Perennia is ready')) done();
      });
      child.once('close', (code) => fail(new Error(`${name} ended with ${code}: ${said}`)));
    });
    running.push({ name, child, ports });
  }
  const portsOf = (role: string, port: keyof Running['ports']): number[] => running.filter(({ name }) => name.startsWith(role)).map(({ ports }) => ports[port]);

  it('given what runs once, then the bucket and the topics are made, and a second time changes nothing', () => {
    expect(runOnce('bucket')).toBe('Bucket perennia made.\n');
    expect(runOnce('bucket')).toBe('Bucket perennia is there.\n');
    expect(runOnce('migrate')).toMatch(/Run:\n[^]*Topic .* made\./);
    expect(runOnce('migrate')).toBe('The database is up to date.\n');
  }, 60_000);

  it('given every service with its own environment and command, then each becomes ready', async () => {
    const names = Object.entries(services!).filter(([, { environment }]) => environment?.['VNA_ROLES'] !== undefined).map(([name]) => name);
    await Promise.all(names.map(startService));
    expect(running).toHaveLength(9);
    for (const port of running.map(({ ports }) => ports.VNA_HEALTH_PORT)) expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
  }, 60_000);

  it('given senders at the address before both copies, then what was acknowledged is found and retrieved, whole and once', async () => {
    const dicom = await TcpBalancer.start(portsOf('ingest', 'VNA_INGEST_PORT'));
    const http = await TcpBalancer.start(portsOf('dicomweb', 'VNA_DICOMWEB_PORT'));
    const ledger = new Ledger(join(directory, 'ledger.jsonl'));
    try {
      const web = `http://127.0.0.1:${http.port}/dicom-web`;
      const sender = new PromiseSender({ dicomPort: dicom.port, web, ledger, root: `1.2.826.0.1.3680043.10.5.${Date.now()}`, seed: 20261127, largeEvery: 60 });
      sender.start();
      while (ledger.acknowledgedCount() < 20) await new Promise((done) => setTimeout(done, 50));
      await sender.stop();
      expect(sender.failures).toBe(0);
      expect((await new PromiseChecker(web).check(ledger.snapshot(), 30_000)).violations).toEqual([]);
      stored = [...new Set(ledger.snapshot().map(({ studyInstanceUid }) => studyInstanceUid))].toSorted();
    } finally {
      await Promise.all([dicom.close(), http.close()]);
      ledger.close();
    }
  }, 60_000);

  it('given an asker at the address before both copies that answer queries, then each finds every study by C-FIND', async () => {
    const queries = await TcpBalancer.start(portsOf('retrieve', 'VNA_RETRIEVE_PORT'));
    try {
      // The balancer goes from one to the other.
      expect([await foundStudies(queries.port), await foundStudies(queries.port)]).toEqual([stored, stored]);
    } finally {
      await queries.close();
    }
  }, 60_000);

  it('given SIGTERM, then each ends in order', async () => {
    const startedMs = performance.now();
    const ended = running.map(({ name, child }) => new Promise((done) => child.once('close', (code) => done([name, code]))));
    for (const { child } of running) child.kill('SIGTERM');
    expect(await Promise.all(ended)).toEqual(running.map(({ name }) => [name, 0]));
    expect(performance.now() - startedMs).toBeLessThan(IN_ORDER_WITHIN_MS);
  }, 60_000);
});
