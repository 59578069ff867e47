// `npm start`: installs and builds if needed, then runs the whole archive.
import { join } from 'node:path';
import { prepare, root, runCarried } from './runtime.mjs';

prepare();
// The supervisor does next to nothing once everything runs: its memory is what counts.
process.env.MALLOC_ARENA_MAX ??= '2';
process.env.MALLOC_TRIM_THRESHOLD_ ??= String(2 * 1024 * 1024);
runCarried(['--max-semi-space-size=4', '--optimize-for-size', join(root, 'services', 'all-in-one', 'dist', 'main.js'), ...process.argv.slice(2)]);
