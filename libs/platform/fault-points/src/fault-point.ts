// Named places where a test may kill the process or make the next step fail, and switches that break a promise on purpose.
// All are inert unless VNA_TEST_BUILD=1: a production process cannot be made to misbehave through its environment alone.
//
//   VNA_FAIL=K8:kill       SIGKILL at the first time K8 is reached;  K8:kill:37  at the 37th
//   VNA_FAIL=K7:throw      throws a FaultInjectedError there, every time;  several are separated by commas
//   VNA_MUTANT=skip-fdatasync,early-acknowledgement
//   VNA_FAIL_FILE=path     SIGUSR2 arms what the file says (the same syntax); what fired is appended to `path.fired`
import { appendFileSync, readFileSync } from 'node:fs';

/** Whether faults can be injected at all. */
export const isTestBuild = process.env['VNA_TEST_BUILD'] === '1';

interface Armed {
  action: 'kill' | 'throw' | 'stop';
  countdown: number;
}

export class FaultInjectedError extends Error {
  constructor(readonly point: string) {
    super(`Fault injected at ${point}`);
    this.name = 'FaultInjectedError';
  }
}

function parse(text: string | undefined): Map<string, Armed> {
  const armed = new Map<string, Armed>();
  for (const part of (text ?? '').split(',').filter(Boolean)) {
    const [point, action = 'kill', count = '1'] = part.trim().split(':');
    armed.set(point!, { action: action as Armed['action'], countdown: Number(count) });
  }
  return armed;
}

const failFile = isTestBuild ? process.env['VNA_FAIL_FILE'] : undefined;
let armed = isTestBuild ? parse(process.env['VNA_FAIL']) : new Map<string, Armed>();
if (failFile) process.on('SIGUSR2', () => (armed = parse(readFileSync(failFile, 'utf8').trim())));
const mutants = new Set(isTestBuild ? (process.env['VNA_MUTANT'] ?? '').split(',').filter(Boolean) : []);

function hit(point: string): void {
  const fault = armed.get(point);
  if (!fault || --fault.countdown > 0) return;
  if (failFile) appendFileSync(`${failFile}.fired`, `${point} ${process.pid}\n`);
  if (fault.action === 'throw') {
    fault.countdown = 1;
    throw new FaultInjectedError(point);
  }
  process.kill(process.pid, fault.action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
  // SIGKILL to oneself is delivered before the next instruction of user code runs in this thread, or very soon after.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

/** K0…K16 of docs/promise.md. Costs one call of an empty function outside test builds. */
export const faultPoint: (point: string) => void = isTestBuild ? hit : () => {};

/** Whether the named promise-breaking switch is on (test builds only). */
export const mutant: (name: string) => boolean = mutants.size > 0 ? (name) => mutants.has(name) : () => false;
