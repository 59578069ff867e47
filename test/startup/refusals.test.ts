// What cannot start says so in one sentence with its remedy: exit code not 0, nothing else, no stack trace.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { StartProcess, freePorts, heldPort, type EndedStart, type StartOptions } from './start-process.js';

const folder = mkdtempSync(join(tmpdir(), 'perennia-startup-'));
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function refusal(options: StartOptions): Promise<EndedStart> {
  const ports = await freePorts();
  return StartProcess.run({ ...options, environment: { ...ports, VNA_DATA: join(folder, 'data'), ...options.environment } }).ended;
}

function expectOneSentence({ code, stderr }: EndedStart, ...parts: (string | RegExp)[]): void {
  for (const part of parts) expect(stderr).toMatch(part);
  expect(stderr).toMatch(/^Perennia: [^\n]+\.\n$/);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(code).toBe(2);
}

/** `process.versions` of an old Node, before anything of ours runs. */
const asNode = (version: string): string[] => [
  '--import',
  `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"${version}"}})`,
];

describe('a start that cannot be', () => {
  it('given a Node that is too old, then it names the version and the one needed', async () => {
    expectOneSentence(await refusal({ nodeArguments: asNode('18.19.0') }), 'Node.js 18.19.0 is too old', 'Install Node.js 20.10 or newer');
  });

  it.each([
    ['an unknown variable', { VNA_INGEST_PROT: '1' }, 'Unknown configuration key "VNA_INGEST_PROT"', 'did you mean "VNA_INGEST_PORT"?'],
    ['a value out of bounds', { VNA_INGEST_MAX_ASSOCIATIONS: '0' }, 'ingest.maxAssociations', 'VNA_INGEST_MAX_ASSOCIATIONS'],
    ['an open DICOM listener', { VNA_INGEST_HOST: '0.0.0.0' }, 'would listen on 0.0.0.0', 'VNA_UNSAFE_LISTEN=true'],
    ['an open web server', { VNA_DICOMWEB_HOST: '0.0.0.0' }, 'would listen on 0.0.0.0', 'VNA_UNSAFE_LISTEN=true'],
  ])('given %s, then it is refused', async (_, environment, ...parts) => {
    expectOneSentence(await refusal({ environment: environment as Record<string, string> }), ...(parts as string[]));
  });

  it('given an unknown key in the file, then it names file and key', async () => {
    const file = join(folder, 'wrong.yaml');
    writeFileSync(file, 'ingset:\n  port: 104\n');
    expectOneSentence(await refusal({ environment: { VNA_CONFIG: file } }), 'Unknown configuration key "ingset"', 'did you mean "ingest"?', file);
  });

  it.each(['VNA_INGEST_PORT', 'VNA_DICOMWEB_PORT', 'VNA_HEALTH_PORT'])('given a port in use, then it names %s', async (variable) => {
    const { port, server } = await heldPort();
    expectOneSentence(await refusal({ environment: { [variable]: String(port) } }), `Port ${port} on 127.0.0.1`, 'is in use by another program', variable);
    server.close();
  });

  it('given a data folder below a file, then it says that it cannot be written', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    expectOneSentence(await refusal({ environment: { VNA_DATA: join(file, 'data') } }), `The data folder ${file}/data cannot be written`, 'VNA_DATA');
  });

  const asRoot = process.getuid!() === 0 ? it : it.skip;
  asRoot('given a data folder without write permission (needs root to become somebody else), then it says so', async () => {
    const locked = join(folder, 'locked');
    mkdirSync(locked, { mode: 0o755 });
    expectOneSentence(await refusal({ uid: 65_534, environment: { VNA_DATA: join(locked, 'data') } }), 'cannot be written', 'write permission');
  });

  asRoot('given a full disk (needs root to mount one), then it says how much is missing', async () => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]).status !== 0) throw new Error('A small disk could not be mounted');
    try {
      expectOneSentence(await refusal({ environment: { VNA_DATA: join(disk, 'data') } }), 'is full', '256MiB needed', 'Free space');
      spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=64k']);
      expectOneSentence(await refusal({ environment: { VNA_DATA: join(disk, 'data') } }), 'is full', 'Free space');
    } finally {
      spawnSync('umount', [disk]);
    }
  });
});
