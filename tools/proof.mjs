// `npm run proof -- ID [--rounds N] [--resume]`: the full size of a proof. Runs test/proofs/<ID>*.mjs one after another and
// appends their output, dated and with the commit, to docs/proofs/<ID>.md: what was run and what came out, not a claim.
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { carriedEnvironment, carriedNode, prepare, refuse, root } from './runtime.mjs';

const [id, ...options] = process.argv.slice(2);
const folder = join(root, 'test', 'proofs');
const available = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.mjs')).toSorted() : [];
const scripts = id ? available.filter((name) => name === `${id}.mjs` || name.startsWith(`${id}-`)) : [];
if (scripts.length === 0) refuse(id ? `There is no proof ${id}` : 'No proof was named', `Choose one of: ${available.join(', ') || '(none yet)'}`);

prepare();
const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout?.trim() || 'unknown';
const report = join(root, 'docs', 'proofs', `${id}.md`);
mkdirSync(join(root, 'docs', 'proofs'), { recursive: true });
if (!existsSync(report)) appendFileSync(report, `# Proof ${id}\n\nMade with \`npm run proof -- ${id}\`; newest run last.\n`);

let failed = false;
for (const script of scripts) {
  appendFileSync(report, `\n## ${new Date().toISOString()} · ${script} ${options.join(' ')} · commit ${commit}\n\n\`\`\`\n`);
  const status = await run(script);
  appendFileSync(report, `\`\`\`\n\nExit code ${status}.\n`);
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);

function run(script) {
  const child = spawn(carriedNode, ['--no-warnings', join(folder, script), ...options], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env: carriedEnvironment() });
  child.stdout.on('data', (chunk) => {
    process.stdout.write(chunk);
    appendFileSync(report, chunk);
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
}
