// A process of the test: runs the job that counts, tells each step, and is killed.
import { connectDatabases } from '@perennia/persistence';
import { createLogger, Metrics, SystemClock } from '@perennia/telemetry';
import { JobRunner } from './job-runner.js';

const [url] = process.argv.slice(2) as [string];
const { imaging } = await connectDatabases({ controlUrl: url, imagingUrl: url, poolSize: 2 });
const runner = new JobRunner(imaging, { clock: new SystemClock(), log: createLogger('child', 'silent'), metrics: new Metrics(), leaseMs: 600, pollMs: 50 });
runner.handle<unknown, number>('count', async (job) => {
  for (let step = (job.cursor ?? 0) + 1; step <= 5; step++) await job.checkpoint(step, { steps: step });
  process.send!('at five');
  await new Promise(() => {});
});
runner.start();
