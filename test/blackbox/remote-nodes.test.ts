// Remote nodes by the administrator's command, beside the running archive and while it is stopped (D01).
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DicomAcceptor } from '@perennia/dicom-net';
import { freePort, makeLoopbackCertificate, Product } from '@perennia/testing';
import { runVna, runVnaJson, type VnaAnswer } from '../startup/run-vna.js';

const CT_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.2';
const MR_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.4';

interface Report {
  ok: boolean;
  node: string;
  callingAet: string;
  stages: { stage: string; ok: boolean; durationMs: number; found: string; remedy?: string }[];
  refusedContexts: { abstractSyntax: string; result: number }[];
}
interface Listed {
  nodes: Record<string, unknown>[];
}

const directory = mkdtempSync(join(tmpdir(), 'perennia-nodes-'));
const seen: string[] = [];
/** A viewer that takes CT images and nothing else. */
const viewer = new DicomAcceptor({
  aeTitles: ['VIEWER1'],
  authorize: ({ callingAet }) => {
    seen.push(callingAet);
    return { accept: true, acceptContext: (abstractSyntax, offered) => (abstractSyntax === MR_IMAGE_STORAGE ? 3 : offered[0]!) };
  },
  services: { echo: () => 0 },
});
let product: Product;
let environment: Record<string, string>;
let viewerPort: string;

const vna = (...parameters: string[]): Promise<VnaAnswer> => runVna(environment, 'node', ...parameters);
const vnaJson = <Result>(...parameters: string[]): Promise<Result> => runVnaJson<Result>(environment, 'node', ...parameters);
const add = (aeTitle: string, port: string, ...parameters: string[]): Promise<VnaAnswer> => vna('add', aeTitle, '--host', '127.0.0.1', '--port', port, ...parameters);

beforeAll(async () => {
  viewerPort = String((await viewer.listen({ host: '127.0.0.1', port: 0 })).port);
  const data = join(directory, 'data');
  product = await Product.start({ dataDirectory: data, environment: { VNA_LOG_LEVEL: 'warn' } });
  environment = {
    VNA_DATA: data, VNA_HEALTH_PORT: String(product.healthPort), VNA_DICOMWEB_PORT: String(product.httpPort), VNA_INGEST_PORT: String(product.dicomPort), VNA_INGEST_AE_TITLE: 'ARCHIVE',
  };
}, 90_000);
afterAll(async () => {
  await product?.stop();
  await viewer.close({ graceMs: 0 });
  rmSync(directory, { recursive: true, force: true });
});

describe('vna node', () => {
  it('given a node that is added, then it is listed as it was said, and a second one of its AE title needs --replace', async () => {
    expect(await vna('list')).toMatchObject({ code: 0, stdout: '(nothing)\n' });
    const added = await add('VIEWER1', viewerPort, '--description', 'Reading room 1', '--move-callers', 'PACS', 'WORK LIST');
    expect(added).toMatchObject({ code: 0, stderr: '', stdout: `VIEWER1 is at 127.0.0.1, port ${viewerPort}; look whether it answers with "vna node test VIEWER1"\n` });
    const settings = { tenantId: 'default', aeTitle: 'VIEWER1', host: '127.0.0.1', port: Number(viewerPort), tls: false, description: 'Reading room 1', moveCallers: ['PACS', 'WORK LIST'], maxAssociations: 2 };
    expect((await vnaJson<Listed>('list')).nodes).toEqual([{ ...settings, createdAt: expect.any(String), changedAt: expect.any(String) }]);
    expect(await add('VIEWER1', '104')).toMatchObject({ code: 2, stderr: 'Perennia: There is a remote node VIEWER1 already. Remove it first, or replace it.\n' });
    expect(await vnaJson('add', 'VIEWER1', '--host', '127.0.0.1', '--port', viewerPort, '--max-associations', '4', '--replace')).toMatchObject({ moveCallers: [], maxAssociations: 4 });
    expect((await vna('list')).stdout).toMatch(new RegExp(`^AE TITLE +HOST +PORT +TLS +ASSOCIATIONS +MOVE CALLERS +DESCRIPTION\nVIEWER1 +127\\.0\\.0\\.1 +${viewerPort} +no +4 +\\(any\\)\n$`));
  });

  it('given values that cannot be, then it says in one sentence which', async () => {
    expect(await add('SEVENTEEN-LETTERS', '104')).toMatchObject({ code: 2, stderr: expect.stringMatching(/^Perennia: "SEVENTEEN-LETTERS" is no AE title\. [^\n]+\.\n$/) });
    expect((await add('NODE', 'dicom')).stderr).toContain('is no TCP port');
    expect((await vna('add', 'NODE', '--host', 'http://node', '--port', '104')).stderr).toContain('is neither a host name nor an IP address');
    expect((await add('NODE', '104', '--tenant', 'nowhere')).stderr).toContain('There is no tenant nowhere');
    for (const command of ['test', 'remove']) expect(await vna(command, 'NOBODY')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('There is no remote node NOBODY') });
  });

  it('D01 given a good node, when tested, then every stage is told, we call ourselves what the listener is called, and what it refuses is listed', async () => {
    const report = await vnaJson<Report>('test', 'VIEWER1', '--sop-class', CT_IMAGE_STORAGE, MR_IMAGE_STORAGE);
    expect(report).toMatchObject({ ok: true, node: 'VIEWER1', callingAet: 'ARCHIVE', refusedContexts: [{ abstractSyntax: MR_IMAGE_STORAGE, result: 3 }] });
    expect(report.stages.map(({ stage, ok }) => [stage, ok])).toEqual([['dns', true], ['tcp', true], ['association', true], ['echo', true]]);
    expect(seen.at(-1)).toBe('ARCHIVE');
    const { code, stdout } = await vna('test', 'VIEWER1', '--sop-class', MR_IMAGE_STORAGE);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ARCHIVE to VIEWER1 at [^\n]+\n(ok [^\n]+\n){4}refused +1\.2\.840\.10008\.5\.1\.4\.1\.1\.4 +abstract syntax \(SOP class\) not supported\n$/);
  });

  it('given the archive itself as the node, then it is verified', async () => {
    await add('PERENNIA', String(product.dicomPort));
    expect(await vna('test', 'PERENNIA')).toMatchObject({ code: 0 });
  });

  it.each([
    ['CLOSED', 'tcp', 'Start the DICOM service', async () => add('CLOSED', String(await freePort()))],
    ['WRONG', 'association', 'correct the AE title', () => add('WRONG', viewerPort)],
    ['PLAIN', 'tls', 'without TLS', () => add('PLAIN', viewerPort, '--tls')],
  ])('D01 given the node %s, then vna node test and vna doctor tell the stage %s with what to do, and the exit code is 1', async (node, stage, remedy, addIt) => {
    expect(await addIt()).toMatchObject({ code: 0 });
    for (const command of [['node', 'test'], ['doctor']]) {
      const { code, stdout } = await runVna(environment, ...command, node);
      expect(code).toBe(1);
      expect(stdout).toMatch(new RegExp(`\nFAILED +${stage} [^\n]+${remedy}[^\n]+\n$`));
    }
    const report = await runVnaJson<Report>(environment, 'doctor', node);
    expect(report).toMatchObject({ ok: false, node });
    expect(report.stages.at(-1)).toMatchObject({ stage, ok: false });
  });

  it('given a node that says nothing, then its time is over when it was said to be', async () => {
    const silent = createServer((socket) => socket.resume());
    await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
    await add('SILENT', String((silent.address() as AddressInfo).port));
    expect(await vna('test', 'SILENT', '--timeout', '0.2')).toMatchObject({ code: 1, stdout: expect.stringContaining('did not answer the request for an association') });
    expect(await vna('test', 'SILENT', '--timeout', '0')).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be given 0 seconds') });
    await new Promise((done) => silent.close(done));
  });

  it('D01 given a node with TLS, then it is verified where its authority is trusted, and only there', async () => {
    makeLoopbackCertificate(directory);
    const authority = join(directory, 'ca.pem');
    const secure = createTlsServer({ key: readFileSync(join(directory, 'key.pem')), cert: readFileSync(authority) }, (socket) => viewer.handleSocket(socket));
    await new Promise<void>((done) => secure.listen(0, '127.0.0.1', done));
    await add('VIEWER1', String((secure.address() as AddressInfo).port), '--tls', '--replace');
    expect(await vna('test', 'VIEWER1')).toMatchObject({ code: 1, stdout: expect.stringMatching(/FAILED +tls .* was issued by nobody this machine trusts/) });
    expect(await runVna({ ...environment, NODE_EXTRA_CA_CERTS: authority }, 'node', 'test', 'VIEWER1')).toMatchObject({ code: 0, stdout: expect.stringMatching(/ok +tls .*TLSv1\.3/) });
    await add('VIEWER1', viewerPort, '--replace');
    await new Promise((done) => secure.close(done));
  });

  it.each(['add', 'list', 'test', 'remove'])('given %s --help, then it shows an example', async (command) => {
    const { stdout, code } = await vna(command, '--help');
    expect(stdout).toContain(`npx vna node ${command}`);
    expect(code).toBe(0);
  });

  it('given the archive is stopped, then nodes are listed, tested and removed all the same', async () => {
    await product.stop();
    expect(await vna('test', 'VIEWER1')).toMatchObject({ code: 0 });
    expect(await vnaJson('remove', 'VIEWER1')).toEqual({ removed: 'VIEWER1' });
    expect((await vnaJson<Listed>('list')).nodes.map(({ aeTitle }) => aeTitle)).toEqual(['CLOSED', 'PERENNIA', 'PLAIN', 'SILENT', 'WRONG']);
    expect((await vna('test', 'VIEWER1')).stderr).toContain('There is no remote node VIEWER1');
  });
});
