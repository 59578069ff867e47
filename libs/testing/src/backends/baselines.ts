// Earlier states of the product, built from the history of this repository: what an upgrade begins with. Each is built once for all
// checkouts of a user (git, npm, compiler: a minute and a half), then it is only started.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { backendCache, cached, runOrThrow } from './backend-cache.js';

export interface Baseline {
  /** The step of the project that it stands for. */
  name: string;
  /** Full id. */
  commit: string;
  /** What was there and what was not. */
  endOf: string;
}

const repository = resolve(fileURLToPath(new URL('.', import.meta.url)), '../../../..');
const folderOf = ({ commit }: Baseline): string => `baseline-${commit.slice(0, 12)}`;
/** Options of the test runner would reach the programs that build. */
const PLAIN = { NODE_OPTIONS: '' };

/** Oldest first: `test/upgrade/baselines.json`. */
export const baselines = (): Baseline[] => JSON.parse(readFileSync(join(repository, 'test', 'upgrade', 'baselines.json'), 'utf8')) as Baseline[];

/** Whether all of them are built, or can be: a shallow clone has no history, and npm may be out of reach. */
export function haveBaselines(): boolean {
  const missing = baselines().filter((each) => !existsSync(join(backendCache, folderOf(each))));
  if (missing.length === 0) return true;
  const inHistory = missing.every(({ commit }) => spawnSync('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: repository }).status === 0);
  return inHistory && spawnSync('npm', ['ping'], { stdio: 'ignore', timeout: 30_000, env: { ...process.env, ...PLAIN } }).status === 0;
}

/** @returns the folder of a checkout that can be started; @throws with the last words of the program that could not build it */
export function baselineCheckout(baseline: Baseline): Promise<string> {
  return cached(folderOf(baseline), (folder) => {
    process.stderr.write(`Building "${baseline.name}" from commit ${baseline.commit.slice(0, 7)} (once)\n`);
    const archive = join(folder, 'sources.tar');
    runOrThrow('git', ['-C', repository, 'archive', '--format=tar', '-o', archive, baseline.commit], PLAIN);
    runOrThrow('tar', ['-xf', archive, '-C', folder], PLAIN);
    rmSync(archive);
    const npm = (...parameters: string[]): string => runOrThrow('npm', ['--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error', ...parameters], PLAIN);
    npm('ci');
    const compiler = join(folder, 'node_modules', 'typescript', 'bin', 'tsc');
    runOrThrow(join(folder, 'node_modules', '.bin', 'node'), [compiler, '-b', folder], PLAIN);
    // What only tests need is most of what was installed.
    npm('prune', '--omit=dev');
  });
}
