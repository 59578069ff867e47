// One port, several processes: reception hands an association that it was asked for to its parent, which sends it on to who serves it.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  CT_IMAGE_STORAGE, dcmtkTool, EXPLICIT_LITTLE, hasBackend, part10, RAW_ABORT, RAW_RELEASE_RQ, rawAssociateRq, rawData, rawEchoRq, rawPdv, rawStore,
  ScriptedPeer, spawnSource,
} from '@perennia/testing';
import { type AcceptorEvent, DicomRequestor } from './index.js';
import type { SaidByReception } from './reception.child.js';
import type { SaidByServing } from './serving.child.js';

const run = promisify(execFile);
const child = (name: string): ChildProcess => spawnSource(fileURLToPath(new URL(name, import.meta.url)));

class Processes {
  readonly reception = child('./reception.child.ts');
  readonly serving = child('./serving.child.ts');
  readonly received: AcceptorEvent[] = [];
  readonly served: SaidByServing[] = [];
  port = 0;
  #news: () => void = () => undefined;

  async start(): Promise<void> {
    this.reception.on('message', (said: SaidByReception, socket) => {
      if ('head' in said) this.serving.send(said, socket);
      else if ('event' in said) this.received.push(said.event);
      else ({ port: this.port } = said);
      this.#news();
    });
    this.serving.on('message', (said: SaidByServing) => {
      this.served.push(said);
      this.#news();
    });
    await this.until(() => this.port !== 0 && this.served.length > 0);
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => (this.#news = resolve));
  }

  get servedEvents(): AcceptorEvent[] {
    return this.served.flatMap((said) => ('event' in said ? [said.event] : []));
  }

  /** Open ones of reception, of this process in between, and of who serves. */
  descriptors(): number[] {
    return [this.reception, process, this.serving].map(({ pid }) => readdirSync(`/proc/${pid}/fd`).length);
  }

  async stop(): Promise<void> {
    for (const one of [this.reception, this.serving]) {
      if (one.exitCode !== null || one.signalCode !== null) continue;
      one.kill('SIGKILL');
      await once(one, 'exit');
    }
  }
}

describe('an association handed over through two processes', () => {
  let processes: Processes;
  beforeEach(async () => {
    processes = new Processes();
    await processes.start();
  });
  afterEach(() => processes.stop());

  it('given a requestor of ours, then echo, store and release are served elsewhere, and that process knows the address of the peer', async () => {
    const contexts = [
      { abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2'] }, { abstractSyntax: CT_IMAGE_STORAGE, transferSyntaxes: [EXPLICIT_LITTLE] },
    ];
    const association = await DicomRequestor.connect({ host: '127.0.0.1', port: processes.port, callingAet: 'SCU', calledAet: 'THERE', contexts });
    expect(await association.echo()).toBe(0);
    const dataset = Buffer.alloc(3_000_000, 7);
    const operation = { sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid: '1.2.3', transferSyntaxUid: EXPLICIT_LITTLE, dataset };
    expect(await association.store(operation)).toEqual({ status: 0 });
    await association.release();
    await processes.until(() => processes.servedEvents.length === 2);
    expect(processes.received.map((event) => event.type)).toEqual(['handed-over']);
    const [handed] = processes.received;
    expect(handed).toMatchObject({ callingAet: 'SCU', calledAet: 'THERE', proposedContexts: 2 });
    expect(processes.servedEvents).toMatchObject([
      { type: 'accepted', callingAet: 'SCU', calledAet: 'THERE', acceptedContexts: 2, peer: handed?.peer }, { type: 'released' },
    ]);
    expect(processes.served).toContainEqual({ stored: '1.2.3', bytes: 3_000_000, peer: handed?.peer });
  });

  it('given many at once, with and without a hand-over, then each is served where it belongs, and no process keeps a descriptor', async () => {
    const before = processes.descriptors();
    const associate = async (n: number): Promise<void> => {
      const calledAet = n % 3 === 0 ? 'HERE' : 'THERE';
      const contexts = [{ abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2'] }];
      const association = await DicomRequestor.connect({ host: '127.0.0.1', port: processes.port, callingAet: `SCU${n}`, calledAet, contexts });
      expect(await association.echo()).toBe(0);
      await association.release();
    };
    await Promise.all(Array.from({ length: 60 }, (_, n) => associate(n)));
    await processes.until(() => processes.servedEvents.length === 80);
    const types = (events: readonly AcceptorEvent[], type: string): number => events.filter((event) => event.type === type).length;
    expect([types(processes.received, 'handed-over'), types(processes.received, 'accepted')]).toEqual([40, 20]);
    expect([types(processes.servedEvents, 'accepted'), types(processes.servedEvents, 'released')]).toEqual([40, 40]);
    while (processes.descriptors().some((count, n) => count > before[n]!)) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it('given a reception that closes and ends, then it does not wait for what it handed over, and that goes on', async () => {
    const peer = await ScriptedPeer.connect(processes.port);
    await peer.associate(rawAssociateRq({ calledAet: 'THERE' }));
    const exited = once(processes.reception, 'exit');
    processes.reception.send('close');
    expect(await exited).toEqual([0, null]);
    peer.send(rawStore(1, Buffer.from('ab')), rawData(rawPdv(3, 3, rawEchoRq(2))), RAW_RELEASE_RQ);
    expect(await peer.response()).toMatchObject({ messageId: 1, status: 0 });
    expect(await peer.response()).toMatchObject({ messageId: 2, status: 0 });
    await peer.expect(6);
    peer.transport.destroy();
  });

  it.each([
    ['aborts', (peer: ScriptedPeer): void => void peer.send(RAW_ABORT), { by: 'peer' }],
    ['vanishes', (peer: ScriptedPeer): void => peer.vanish(), { by: 'transport' }],
  ] as const)('given a peer that %s afterwards, then the process that serves it is told', async (_name, leave, ending) => {
    const peer = await ScriptedPeer.connect(processes.port);
    await peer.associate(rawAssociateRq({ calledAet: 'THERE' }));
    leave(peer);
    await processes.until(() => processes.servedEvents.length === 2);
    expect(processes.servedEvents.at(-1)).toMatchObject({ type: 'aborted', ...ending });
    expect(processes.received).toHaveLength(1);
  });

  (hasBackend('dcmtk') ? describe : describe.skip)('dcmtk', () => {
    const tool = (name: string, ...parameters: string[]) => run(dcmtkTool(name) ?? name, ['-v', '-aec', 'THERE', ...parameters], {
      env: { ...process.env, TCP_NODELAY: '1' }, timeout: 30_000,
    });
    const port = (): string => String(processes.port);

    it('echoscu and findscu are answered', async () => {
      await tool('echoscu', '--repeat', '3', '127.0.0.1', port());
      const { stdout, stderr } = await tool('findscu', '-S', '-k', '0008,0052=STUDY', '-k', 'StudyInstanceUID', '127.0.0.1', port());
      for (const n of [1, 2, 3]) expect(stdout + stderr).toContain(`[1.2.3.${n}`);
      expect(processes.received.map((event) => event.type)).toEqual(['handed-over', 'handed-over']);
    });

    it('storescu stores', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'handover-'));
      try {
        const { bytes, values } = part10({ sopClassUid: CT_IMAGE_STORAGE, pixelBytes: 500_000 });
        await writeFile(join(folder, 'one.dcm'), bytes);
        await tool('storescu', '-xe', '127.0.0.1', port(), join(folder, 'one.dcm'));
        await processes.until(() => processes.served.some((said) => 'stored' in said && said.stored === values.sopInstanceUid));
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });
});
