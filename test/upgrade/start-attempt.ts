// A start that is expected to be refused, by any checkout of the product.
import { spawn, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { freePort } from '@perennia/testing';

export const repository = resolve(import.meta.dirname, '../..');

export interface Attempt {
  code: number | null;
  stdout: string;
  stderr: string;
}

export async function launch(checkout: string, data: string, script: string, parameters: readonly string[] = []): Promise<{ child: ChildProcess; ended: Promise<Attempt> }> {
  const [dicom, web, health] = [await freePort(), await freePort(), await freePort()];
  const child = spawn(join(checkout, 'node_modules', '.bin', 'node'), [join(checkout, script), ...parameters], {
    cwd: checkout,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'], HOME: '/tmp', VNA_DATA: data, VNA_LOG_LEVEL: 'warn',
      VNA_INGEST_PORT: String(dicom), VNA_DICOMWEB_PORT: String(web), VNA_HEALTH_PORT: String(health),
    },
  });
  const attempt: Attempt = { code: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (attempt.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    attempt.stderr += text;
    // It was not refused: it must not run on beside the test.
    if (attempt.stderr.includes('Perennia is ready')) child.kill('SIGINT');
  });
  const ended = new Promise<Attempt>((done) => child.once('close', (code) => done({ ...attempt, code })));
  return { child, ended };
}

const run = async (...parameters: Parameters<typeof launch>): Promise<Attempt> => (await launch(...parameters)).ended;

export const start = (checkout: string, data: string): Promise<Attempt> => run(checkout, data, 'services/all-in-one/dist/main.js');
export const vna = (data: string, ...parameters: string[]): Promise<Attempt> => run(repository, data, 'services/cli/dist/main.js', parameters);
