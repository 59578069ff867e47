// `npm start`: installs and builds if needed, then runs the whole archive.
import { join } from 'node:path';
import { prepare, root, runCarried } from './runtime.mjs';

prepare();
runCarried(['--max-semi-space-size=4', join(root, 'services', 'all-in-one', 'dist', 'main.js'), ...process.argv.slice(2)]);
