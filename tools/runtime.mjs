// What every command of the project does first, on whatever Node the machine has: refuse what cannot work in one sentence,
// install the locked dependencies when they are missing, build when sources are newer, and go on under the carried Node 24.
// Runs on Node 20 with nothing installed: node built-ins only.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, realpathSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
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
  const { status, error } = spawnSync(command, [...before, 'ci', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] });
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

const stamp = join(root, 'node_modules', '.cache', 'perennia-built');

/** Whether a source or setting of the compiler was touched since `sinceMs`; a look at some hundred files, a few milliseconds. */
function hasChanged(folder, sinceMs) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!['dist', 'node_modules'].includes(entry.name) && hasChanged(path, sinceMs)) return true;
    } else if (/\.(ts|json)$/.test(entry.name) && statSync(path).mtimeMs > sinceMs) return true;
  }
  return statSync(folder).mtimeMs > sinceMs;
}

function isBuilt() {
  if (!existsSync(stamp) || !existsSync(join(root, 'services', 'all-in-one', 'dist', 'main.js'))) return false;
  const sinceMs = statSync(stamp).mtimeMs;
  const roots = ['tsconfig.base.json', 'tsconfig.json', 'package-lock.json'].map((name) => join(root, name));
  return !roots.some((path) => statSync(path).mtimeMs > sinceMs) && !['libs', 'services'].some((name) => hasChanged(join(root, name), sinceMs));
}

/** Compiles what changed since the last time. */
export function ensureBuilt() {
  if (isBuilt()) return;
  const startedAt = new Date();
  const { status } = spawnSync(carriedNode, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'], {
    cwd: root, stdio: ['ignore', 2, 2], env: carriedEnvironment(),
  });
  if (status !== 0) refuse('The sources do not compile', 'See the lines above');
  markBuilt(startedAt);
}

/** Somebody who may not write here compiles nothing either: then the compiler looks each time. */
function markBuilt(startedAt) {
  try {
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(stamp, '');
    utimesSync(stamp, startedAt, startedAt);
  } catch (error) {
    if (!['EACCES', 'EROFS', 'EPERM'].includes(error.code)) throw error;
  }
}

/** Installed, built, ready to start anything. */
export function prepare() {
  refuseUnsupported();
  ensureInstalled();
  ensureBuilt();
}

/** Goes on as a script under the carried Node: in place of this process where it can be, else as its child. */
export function runCarried(nodeArguments) {
  const environment = carriedEnvironment();
  if (typeof process.execve === 'function') {
    process.removeAllListeners('warning');
    process.execve(realpathSync(carriedNode), ['node', ...nodeArguments], environment);
  }
  const child = spawn(carriedNode, nodeArguments, { stdio: 'inherit', env: environment });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => forward(child, signal));
  child.on('error', (error) => refuse(`The carried Node cannot be started (${error.code})`, 'Run "npm ci" in this folder'));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

/** Ctrl-C at a terminal reaches the whole foreground group by itself; a second signal would look like impatience. */
function forward(child, signal) {
  if (signal === 'SIGINT' && process.stdin.isTTY) return;
  child.kill(signal);
}
