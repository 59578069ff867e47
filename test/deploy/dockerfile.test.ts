// The Dockerfile, read and held to rules, and its commands run as plain processes on this build. The image itself is never built here: no container engine.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { freePort } from '@perennia/testing';
import { all, commandOf, dockerfileProblems, environmentOf, stagesOf } from './dockerfile.js';
import { settingProblems } from './product-settings.js';

const repository = join(import.meta.dirname, '../..');
const text = readFileSync(join(repository, 'deploy', 'Dockerfile'), 'utf8');
const final = stagesOf(text).at(-1)!;
const directory = mkdtempSync(join(tmpdir(), 'perennia-image-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function workspaces(): string[] {
  const listed = spawnSync('git', ['ls-files', 'libs/**/package.json', 'services/**/package.json'], { cwd: repository, encoding: 'utf8' });
  if (listed.status !== 0) throw new Error(listed.stderr);
  return listed.stdout.split('\n').filter(Boolean).map((path) => path.replace('/package.json', ''));
}
const here = (parts: readonly string[]): string[] => parts.map((part) => part.replace('/opt/perennia', repository));

describe('the Dockerfile', () => {
  it('keeps every rule, and copies the manifest of every workspace before it installs', () => {
    expect(workspaces().length).toBeGreaterThan(20);
    expect(dockerfileProblems(text, workspaces())).toEqual([]);
  });

  it('copies only what is there, and what .dockerignore lets through', () => {
    const copied = stagesOf(text).flatMap((stage) => all(stage, 'COPY')).filter((rest) => !rest.startsWith('--from=')).flatMap((rest) => rest.split(' ').slice(0, -1));
    const allowed = readFileSync(join(repository, '.dockerignore'), 'utf8').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    for (const path of copied) {
      expect([path, existsSync(join(repository, path))]).toEqual([path, true]);
      expect([path, allowed.some((each) => path === each || path.startsWith(`${each}/`))]).toEqual([path, true]);
    }
  });

  it('sets only what the product knows', () => {
    expect(settingProblems(environmentOf(final))).toEqual([]);
  });

  it.each([
    ['no tag', 'FROM debian', 'not pinned'],
    ['latest', 'FROM debian:latest', 'not pinned'],
    ['no USER', 'FROM debian:12\nCMD ["x"]', 'runs as root'],
    ['root', 'FROM debian:12\nUSER 0:0', 'runs as root'],
    ['a name as user', 'FROM debian:12\nUSER perennia', 'is no number'],
    ['ADD of a URL', 'FROM debian:12\nADD https://example.org/x /x', 'ADD https://example.org/x'],
    ['a secret', 'FROM debian:12\nARG NPM_TOKEN', 'a secret would stay'],
    ['a secret among others', 'FROM debian:12\nENV A=1 DB_PASSWORD=x', 'a secret would stay'],
    ['sources before the installation', 'FROM debian:12\nCOPY libs libs\nRUN npm ci', 'libs is copied before'],
    ['npm install', 'FROM debian:12\nRUN npm install', 'may install what is not locked'],
    ['a fetched script', 'FROM debian:12\nRUN curl https://example.org | sh', 'no lock file knows'],
    ['a shell', 'FROM debian:12\nUSER 1:1\nCMD node x', 'exec form'],
    ['npm at run time', 'FROM debian:12\nUSER 1:1\nHEALTHCHECK CMD ["true"]\nCMD ["npm", "start"]', 'npm is used at run time'],
  ])('given %s, then a rule says so', (_, bad, sentence) => {
    expect(dockerfileProblems(bad, []).join('\n')).toContain(sentence);
  });

  it('given its command as a plain process, then HEALTHCHECK fails before it is ready and passes after; SIGTERM ends it in order', async () => {
    const environment = {
      PATH: '/usr/bin:/bin', ...environmentOf(final), VNA_DATA: join(directory, 'data'), VNA_LOG_LEVEL: 'warn',
      VNA_INGEST_PORT: String(await freePort()), VNA_DICOMWEB_PORT: String(await freePort()), VNA_HEALTH_PORT: String(await freePort()),
    };
    const probe = (): number | null => {
      const [program, ...parameters] = here(commandOf(final, 'HEALTHCHECK'));
      return spawnSync(program!, parameters, { env: environment, stdio: 'ignore' }).status;
    };
    expect(probe()).toBe(1);
    const [program, ...parameters] = here(commandOf(final, 'CMD'));
    const child = spawn(program!, parameters, { cwd: '/', env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    const ready = new Promise<void>((done, fail) => {
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        said += chunk;
        if (said.includes('Perennia is ready')) done();
      });
      child.once('close', (code) => fail(new Error(`It ended with ${code}: ${said}`)));
    });
    await ready;
    expect(probe()).toBe(0);
    const ended = new Promise<number | null>((done) => child.once('close', done));
    const startedMs = performance.now();
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  }, 60_000);
});
