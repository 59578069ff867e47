// Runs one black-box test at full size and prints what it reports: the proof is the test, only larger.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** @param named tests whose names contain this; all of the file without it */
export function proveByTest(path, environment, named) {
  const folder = mkdtempSync(join(tmpdir(), 'perennia-proof-'));
  const output = join(folder, 'output.txt');
  writeFileSync(output, '');
  console.log(`machine: ${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}; ${Object.entries(environment).map(([k, v]) => `${k}=${v}`).join(' ')}`.trimEnd());
  const { status, stderr } = spawnSync(process.execPath, ['--experimental-vm-modules', '--no-warnings', join(root, 'node_modules/jest/bin/jest.js'), '--runInBand', '--forceExit', path, ...(named ? ['-t', named] : [])], {
    cwd: root, env: { ...process.env, ...environment, VNA_TEST_PROOF_OUTPUT: output }, encoding: 'utf8', maxBuffer: 1 << 26,
  });
  process.stdout.write(readFileSync(output, 'utf8'));
  process.stdout.write(stderr.split('\n').filter((line) => /^(Tests:|\s+[✓✕])/.test(line)).join('\n') + '\n');
  if (status !== 0) process.stdout.write(stderr.slice(-4000).replaceAll(`${root}/`, '').replaceAll(`${tmpdir()}/`, ''));
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = status ?? 1;
}
