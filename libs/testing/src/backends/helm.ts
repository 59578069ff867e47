// Helm, built from its sources by the Go toolchain: tests lint and render the chart with it. No cluster is needed.
import { join } from 'node:path';
import { cached, runOrThrow } from './backend-cache.js';

const VERSION = '3.22.0';
/** Where the program is, in the cache of backends. */
export const HELM = `helm-${VERSION}`;

/** @returns the path of the program */
export async function helmProgram(): Promise<string> {
  const folder = await cached(HELM, (making) => {
    process.stderr.write(`Building Helm ${VERSION} (once, some minutes)\n`);
    runOrThrow('go', ['install', `helm.sh/helm/v3/cmd/helm@v${VERSION}`], { GOBIN: making, GOTOOLCHAIN: 'auto', GOFLAGS: '-trimpath' });
  });
  return join(folder, 'helm');
}
