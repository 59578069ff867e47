// What a test has to tell beside passing: shown while it runs, and kept by `npm run proof`.
import { appendFileSync } from 'node:fs';

export function proofLine(line: string): void {
  process.stderr.write(`${line}\n`);
  const file = process.env['VNA_TEST_PROOF_OUTPUT'];
  if (file !== undefined) appendFileSync(file, `${line}\n`);
}
