// Watches the receiving process with strace: no C-STORE success leaves before the fdatasync that covers its record has returned.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { DicomRequestor } from '@perennia/dicom-net';
import { hasBackend, Product, syntheticObject } from '@perennia/testing';
import { orderOfAcknowledgements } from './strace-order.js';

(hasBackend('strace') ? describe : describe.skip)('the order of system calls', () => {
  const directories: string[] = [];
  afterEach(() => {
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  });

  async function tracedStores(environment: Record<string, string>): Promise<{ acknowledged: number; early: number }> {
    const directory = mkdtempSync(join(tmpdir(), 'perennia-strace-'));
    directories.push(directory);
    const product = await Product.start({ dataDirectory: join(directory, 'data'), environment: { VNA_LOG_LEVEL: 'warn', ...environment } });
    try {
      const pid = listenerOf(product);
      const trace = join(directory, 'trace');
      const strace = spawn('strace', ['-f', '-qq', '-y', '-xx', '-s', '128', '-e', 'trace=write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,fdatasync,fsync', '-o', trace, '-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
      await attached(pid);
      await storeSome(product.dicomPort, 25);
      strace.kill('SIGINT');
      await new Promise((done) => strace.once('exit', done));
      return orderOfAcknowledgements(readFileSync(trace, 'latin1'));
    } finally {
      await product.stop();
    }
  }

  it('D02 given stores one after the other, when success is sent, then the record was synced before, every time', async () => {
    const { acknowledged, early } = await tracedStores({});
    expect({ acknowledged, early }).toEqual({ acknowledged: 25, early: 0 });
  }, 120_000);

  it.each(['early-acknowledgement', 'skip-fdatasync'])('given the mutant %s, when success is sent, then the same check finds it', async (mutant) => {
    const { early } = await tracedStores({ VNA_MUTANT: mutant });
    expect(early).toBeGreaterThan(0);
  }, 120_000);
});

/** The process that listens on the DICOM port: the one whose socket table has it. */
function listenerOf(product: Product): number {
  const inodes = new Set<string>();
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (fields[3] === '0A' && Number.parseInt(fields[1]!.split(':')[1]!, 16) === product.dicomPort) inodes.add(`socket:[${fields[9]}]`);
  }
  const owner = product.roleProcesses().find(({ pid }) => descriptors(pid).some((target) => inodes.has(target)));
  if (!owner) throw new Error('Nobody listens on the DICOM port.');
  return owner.pid;
}
function descriptors(pid: number): string[] {
  return Array.from({ length: 256 }, (_, fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
}
async function attached(pid: number): Promise<void> {
  while (/TracerPid:\t0\n/.test(readFileSync(`/proc/${pid}/status`, 'latin1'))) await new Promise((done) => setTimeout(done, 20));
  await new Promise((done) => setTimeout(done, 200));
}
async function storeSome(port: number, count: number): Promise<void> {
  const objects = Array.from({ length: count }, (_, n) => syntheticObject({ root: `1.2.826.0.1.3680043.10.8.${Date.now()}`, study: 1, series: 1, instance: n + 1, pixelBytes: 20_000 }));
  const association = await DicomRequestor.connect({
    host: '127.0.0.1', port, callingAet: 'STRACE', calledAet: 'PERENNIA',
    contexts: [{ abstractSyntax: objects[0]!.sopClassUid, transferSyntaxes: [objects[0]!.transferSyntaxUid] }],
  });
  for (const object of objects) expect((await association.store(object)).status).toBe(0);
  await association.release();
}
