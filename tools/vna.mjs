#!/usr/bin/env node
// `npx vna`: the administrator's command, under the carried Node whatever the machine's is. Builds only when never built:
// a command must answer at once.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, isCarriedNode, refuseUnsupported, root, runCarried } from './runtime.mjs';

const main = join(root, 'services', 'cli', 'dist', 'main.js');
refuseUnsupported();
ensureInstalled();
if (!existsSync(main)) ensureBuilt();
if (isCarriedNode()) await import(main);
else runCarried([main, ...process.argv.slice(2)]);
