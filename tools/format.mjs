// `node tools/format.mjs [--check]`: the few things about layout that are not taste. UTF-8 with LF, one final newline, no blanks at
// line ends, no tabs; no line of product code above 200 characters. Corrects what can be corrected; lists the rest.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './runtime.mjs';

const LONGEST_LINE = 200;
const FORMATTED = /\.(ts|mjs|json|md|yaml|sh|py)$/;
const TESTS = /(\.spec|\.int-spec)\.ts$|\/bench\//;
const EXEMPT = /(^|\/)(package-lock\.json|.*\.generated\.(ts|json)|fixtures\/.*)$/;

const check = process.argv.includes('--check');
const listed = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
const wrong = [];
for (const name of listed.stdout.split('\n').filter((file) => FORMATTED.test(file) && !EXEMPT.test(file))) {
  const path = join(root, name);
  const before = readFileSync(path, 'utf8');
  const after = `${before.replaceAll('\r\n', '\n').replace(/[ \t]+$/gm, '').trimEnd()}\n`;
  if (before !== after) {
    if (check) wrong.push(`${name}: blanks at line ends, CRLF, or no single final newline (run "node tools/format.mjs")`);
    else writeFileSync(path, after);
  }
  if (/^(libs|services|tools)\/.*\.(ts|mjs)$/.test(name) && !TESTS.test(name)) wrong.push(...longLines(name, after));
}
for (const line of wrong) process.stderr.write(`${line}\n`);
process.exit(wrong.length > 0 ? 1 : 0);

function longLines(name, text) {
  return text.split('\n').flatMap((line, index) => {
    if (line.includes('\t')) return [`${name}:${index + 1}: tab`];
    return line.length > LONGEST_LINE ? [`${name}:${index + 1}: ${line.length} characters`] : [];
  });
}
