// What every command of the project does first, on whatever Node the machine has: refuse what cannot work in one sentence,
// install the locked dependencies when they are missing, build when sources are newer, and go on under the carried Node 24.
// Runs on Node 20 with nothing installed: node built-ins only.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, rmSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = [20, 10];
const CARRIED_MAJOR = 24;
const binaries = join(root, 'node_modules', '.bin');

/** Ends the program with one sentence and its remedy; no stack trace. */
export function refuse(sentence, remedy) {
  process.stderr.write(`Perennia: ${sentence}. ${remedy}.\n`);
  process.exit(2);
}

export function refuseUnsupported() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    refuse(`Node.js ${process.versions.node} is too old to start`, `Install Node.js ${OLDEST_NODE.join('.')} or newer`);
  }
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    refuse(`${process.platform} on ${process.arch} is not supported`, 'Use Linux on x64 or arm64');
  }
}

/** npm writes its own list of what is installed last: present and not older than the lock means complete. */
function isInstalled() {
  const marker = join(root, 'node_modules', '.package-lock.json');
  return existsSync(marker) && existsSync(join(binaries, 'node')) && statSync(marker).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs - 1000;
}

function npmCommand() {
  const script = process.env.npm_execpath;
  return script && script.endsWith('.js') ? [process.execPath, script] : ['npm'];
}

export function ensureInstalled() {
  if (isInstalled()) return;
  process.stderr.write('Installing the locked dependencies (once) …\n');
  const [command, ...before] = npmCommand();
  const { status, error } = spawnSync(command, [...before, 'ci'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (error) refuse('npm cannot be started', 'Install npm, or run "npm ci" in this folder yourself');
  if (status !== 0 || !existsSync(join(binaries, 'node'))) {
    rmSync(join(root, 'node_modules', '.package-lock.json'), { force: true });
    refuse('The dependencies could not be installed', 'Read the lines of npm above, then run "npm ci" in this folder');
  }
}

/** The environment of everything started below: the carried Node comes first. */
export function carriedEnvironment() {
  return { ...process.env, PATH: `${binaries}${delimiter}${process.env.PATH ?? ''}` };
}

export const carriedNode = join(binaries, 'node');
export const isCarriedNode = () => Number(process.versions.node.split('.')[0]) >= CARRIED_MAJOR;

/** Compiles what changed; nothing to do costs about a second. */
export function ensureBuilt() {
  const { status } = spawnSync(carriedNode, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'], {
    cwd: root, stdio: ['ignore', 2, 2], env: carriedEnvironment(),
  });
  if (status !== 0) refuse('The sources do not compile', 'See the lines above');
}

/** Installed, built, ready to start anything. */
export function prepare() {
  refuseUnsupported();
  ensureInstalled();
  ensureBuilt();
}

/** Runs a script under the carried Node with this process's streams; signals are passed on; ends as it ends. */
export function runCarried(nodeArguments, environment = {}) {
  const child = spawn(carriedNode, nodeArguments, { stdio: 'inherit', env: { ...carriedEnvironment(), ...environment } });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => forward(child, signal));
  child.on('error', (error) => refuse(`The carried Node cannot be started (${error.code})`, 'Run "npm ci" in this folder'));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

/** Ctrl-C reaches the whole foreground group by itself; a second signal would look like impatience. */
function forward(child, signal) {
  if (signal === 'SIGINT' && process.stdin.isTTY) return;
  child.kill(signal);
}
