// `node tools/generate.mjs [--check]`: writes every generated file of the documentation, or says which one is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isCarriedNode, prepare, root, runCarried } from './runtime.mjs';

if (isCarriedNode()) await generate();
else {
  prepare();
  runCarried([join(root, 'tools', 'generate.mjs'), ...process.argv.slice(2)]);
}

async function generate() {
  const { configurationPage } = await import(join(root, 'services', 'all-in-one', 'dist', 'index.js'));
  const { featuresPage } = await import('./features-page.mjs');
  const files = [[join(root, 'docs', 'configuration.md'), configurationPage()], [join(root, 'docs', 'features.md'), featuresPage(root)]];
  const stale = files.filter(([path, text]) => readOrEmpty(path) !== text);
  if (process.argv.includes('--check')) {
    for (const [path] of stale) process.stderr.write(`${relative(root, path)} is stale: run "node tools/generate.mjs"\n`);
    process.exit(stale.length > 0 ? 1 : 0);
  }
  for (const [path, text] of stale) writeFileSync(path, text);
}

function readOrEmpty(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}
