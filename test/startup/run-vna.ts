// Runs the administrator's command the way a person does.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { repository } from './start-process.js';

export interface VnaAnswer {
  code: number;
  stdout: string;
  stderr: string;
}

export function runVna(environment: Readonly<Record<string, string>>, ...parameters: string[]): Promise<VnaAnswer> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [join(repository, 'tools', 'vna.mjs'), ...parameters],
      { env: { PATH: process.env['PATH'], HOME: '/tmp', ...environment }, maxBuffer: 1 << 26 },
      (_error, stdout, stderr) => done({ code: child.exitCode!, stdout, stderr }),
    );
  });
}

/** With `--json`. @throws with what it said when it printed nothing */
export async function runVnaJson<Result>(environment: Readonly<Record<string, string>>, ...parameters: string[]): Promise<Result> {
  const { stdout, stderr } = await runVna(environment, ...parameters, '--json');
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Result;
}
