// `npm test`: builds, then every test of the workspace. Tests beside the code run two at a time, and so do those that kill the product, start
// many parts or mostly wait for them; the other black-box tests (test/**), which measure it, run one at a time. Last line: `N passed, N failed, N skipped`, from Jest's own counts.
// `npm test -- libs/kernel` runs what is named. What was skipped is listed with its name: nothing is skipped in silence.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { carriedEnvironment, carriedNode, prepare, root } from './runtime.mjs';

const BESIDE_THE_CODE = ['--testPathIgnorePatterns', '/node_modules/', '/dist/', `${root}/test/`, '--maxWorkers=2'];
const independent = ['boundaries/', 'chaos/', 'cluster/', 'corpus/', 'deploy/', 'faults/', 'interop/', 'restore/', 'upgrade/', 'blackbox/dimse/', 'blackbox/tiers', 'blackbox/telemetry'];
const waiting = independent.map((path) => `${root}/test/${path}`);
const WAITING = ['--maxWorkers=2', '--testPathPatterns', ...waiting];
const MEASURING = ['--runInBand', '--testPathIgnorePatterns', '/node_modules/', '/dist/', ...waiting, '--testPathPatterns', `${root}/test/`];

prepare();
const named = process.argv.slice(2);
const runs = named.length > 0 ? [named] : [BESIDE_THE_CODE, MEASURING, WAITING];
const reports = mkdtempSync(join(tmpdir(), 'perennia-test-'));
const total = { passed: 0, failed: 0, skipped: 0 };
const skipped = [];
let broken = false;

for (const [index, arguments_] of runs.entries()) {
  const report = join(reports, `${index}.json`);
  const status = await jest([...arguments_, '--passWithNoTests', '--json', `--outputFile=${report}`]);
  count(report, status);
}
rmSync(reports, { recursive: true, force: true });
for (const line of skipped) process.stdout.write(`SKIPPED ${line}\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exit(broken || total.failed > 0 ? 1 : 0);

function jest(arguments_) {
  const child = spawn(carriedNode, ['--experimental-vm-modules', '--no-warnings', join(root, 'node_modules', 'jest', 'bin', 'jest.js'), ...arguments_], {
    cwd: root, stdio: ['ignore', 'ignore', 'inherit'], env: carriedEnvironment(),
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
}

/** A suite that could not even start has no tests to count: it counts as one failure. */
function count(report, status) {
  let result;
  try {
    result = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    process.stdout.write('The test run ended without a report\n');
    total.failed += 1;
    return;
  }
  total.passed += result.numPassedTests;
  total.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  total.skipped += result.numPendingTests + result.numTodoTests;
  broken ||= status !== 0;
  for (const suite of result.testResults) {
    for (const test of suite.assertionResults) {
      if (test.status === 'pending' || test.status === 'todo') skipped.push(`${relative(root, suite.name)}: ${test.fullName}`);
    }
  }
}
