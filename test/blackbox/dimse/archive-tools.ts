// What tests of DIMSE over the network ask of the running archive beside DIMSE itself.
import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Product } from '@perennia/testing';

const repository = resolve(import.meta.dirname, '../../..');

/** Results of a QIDO-RS search. */
export async function countOf(product: Product, path: string): Promise<number> {
  const response = await fetch(`${product.web}${path}`, { headers: { accept: 'application/dicom+json' } });
  return response.status === 200 ? ((await response.json()) as unknown[]).length : 0;
}

/** @throws after half a minute */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (await condition()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('The condition did not come true.');
}

/** Runs the command on the archive; answers what it printed. */
export async function vna(product: Product, ...parameters: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(join(repository, 'node_modules/.bin/node'), [join(repository, 'services/cli/dist/main.js'), ...parameters], {
    env: { ...process.env, VNA_DATA: product.options.dataDirectory, VNA_DICOMWEB_PORT: String(product.httpPort), VNA_INGEST_PORT: String(product.dicomPort), VNA_HEALTH_PORT: String(product.healthPort) },
  });
  return stdout;
}
