import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { isProcessAlive, processIdentity } from './process-identity.js';

describe('A process', () => {
  it('knows itself', () => {
    expect(processIdentity().startsWith(`${process.pid}.`)).toBe(true);
    expect(processIdentity()).not.toMatch(/[^0-9a-f.]/);
    expect(isProcessAlive(processIdentity())).toBe(true);
  });

  it('is told from a later one with its pid, and from one before the last boot', () => {
    const [pid, ticks, boot, namespace] = processIdentity().split('.');
    expect(isProcessAlive([pid, Number(ticks) - 1, boot, namespace].join('.'))).toBe(false);
    expect(isProcessAlive([pid, ticks, '0'.repeat(12), namespace].join('.'))).toBe(false);
    for (const nonsense of ['', 'x', '0', 'a.b.c.d', '-1.1.1.1']) expect(isProcessAlive(nonsense)).toBe(false);
  });

  it('counts as gone once it ended', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
    const identity = processIdentity().replace(/^\d+\.\d+/, `${child.pid}.${fields[19]}`);
    expect(isProcessAlive(identity)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isProcessAlive(identity)).toBe(false);
  });
});
