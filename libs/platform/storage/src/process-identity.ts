// Who a process is, so that files which a killed one left behind can be told from those of a living one, also when its pid was given
// to somebody else: pid, start time in ticks since boot, boot. Another pid namespace cannot be asked: such a process counts as gone,
// and whoever mounts one volume twice has to keep the two apart.
import { readFileSync, readlinkSync } from 'node:fs';

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return ''; // Not Linux, or the process is gone: told apart by the callers.
  }
}

function namespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    return '';
  }
}

/** Field 22 of /proc/PID/stat, or '' when there is no such process or only its unreaped remains. */
function startTicks(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  // The name in parentheses may itself contain spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '');
}

function boot(): string {
  return read('/proc/sys/kernel/random/boot_id').replaceAll('-', '').slice(0, 12);
}

let own: string | undefined;

/** Identity of this process: `pid.ticks.boot.namespace`, letters and digits between the dots. */
export function processIdentity(): string {
  own ??= `${process.pid}.${startTicks(process.pid)}.${boot()}.${namespace()}`;
  return own;
}

/** Whether the process of that identity is running now. */
export function isProcessAlive(identity: string): boolean {
  const [pid, ticks, itsBoot, itsNamespace] = identity.split('.');
  if (!pid || !/^[1-9]\d*$/.test(pid)) return false;
  if (ticks) return itsBoot === boot() && itsNamespace === namespace() && startTicks(Number(pid)) === ticks;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
