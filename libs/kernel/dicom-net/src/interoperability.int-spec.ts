// The same engine against the clients people really use: dcmtk's tools, and pynetdicom where Python has it.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CT_IMAGE_STORAGE, EXPLICIT_LITTLE, dcmtkTool, hasBackend, VERIFICATION } from '@perennia/testing';
import { type AcceptorEvent, DicomAcceptor, DicomRequestor, type StoreRequest } from './index.js';

const run = promisify(execFile);
/** Without it dcmtk leaves Nagle's algorithm on, which costs 40 ms a message. */
const ENVIRONMENT = { ...process.env, TCP_NODELAY: '1' };

const tool = (name: string, ...parameters: string[]) => run(dcmtkTool(name) ?? name, parameters, { env: ENVIRONMENT, timeout: 30_000 });

const SYNTAXES = [
  { option: '+xi', uid: '1.2.840.10008.1.2' },
  { option: '+xe', uid: EXPLICIT_LITTLE },
];

const element = (group: number, number: number, vr: string, value: Buffer): Buffer => {
  const even = value.length % 2 ? Buffer.concat([value, Buffer.from(vr === 'UI' ? '\0' : ' ')]) : value;
  const long = vr === 'OB' || vr === 'OW';
  const header = Buffer.alloc(long ? 12 : 8);
  header.writeUInt16LE(group, 0);
  header.writeUInt16LE(number, 2);
  header.write(vr, 4);
  if (long) header.writeUInt32LE(even.length, 8);
  else header.writeUInt16LE(even.length, 6);
  return Buffer.concat([header, even]);
};
const short = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);

/** A minimal CT object as a Part 10 file; the dataset has `pixelBytes` of pixel data. */
function part10(sopInstanceUid: string, pixelBytes: number): { file: Buffer; dataset: Buffer } {
  const meta = Buffer.concat([
    element(2, 1, 'OB', Buffer.from([0, 1])), element(2, 2, 'UI', Buffer.from(CT_IMAGE_STORAGE)), element(2, 3, 'UI', Buffer.from(sopInstanceUid)),
    element(2, 0x10, 'UI', Buffer.from(EXPLICIT_LITTLE)), element(2, 0x12, 'UI', Buffer.from('1.2.3.4')),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  const dataset = Buffer.concat([
    element(8, 0x16, 'UI', Buffer.from(CT_IMAGE_STORAGE)), element(8, 0x18, 'UI', Buffer.from(sopInstanceUid)),
    element(0x10, 0x10, 'PN', Buffer.from('DOE^JANE')), element(0x10, 0x20, 'LO', Buffer.from('4711')),
    element(0x20, 0xd, 'UI', Buffer.from('1.2.3.4.1')), element(0x20, 0xe, 'UI', Buffer.from('1.2.3.4.2')),
    element(0x28, 2, 'US', short(1)), element(0x28, 0x10, 'US', short(1)), element(0x28, 0x11, 'US', short(pixelBytes / 2)),
    element(0x28, 0x100, 'US', short(16)), element(0x7fe0, 0x10, 'OW', Buffer.alloc(pixelBytes, 7)),
  ]);
  return { file: Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), element(2, 0, 'UL', length), meta, dataset]), dataset };
}

interface Stored {
  readonly request: StoreRequest;
  readonly dataset: Buffer;
}

describe('interoperability', () => {
  const stored: Stored[] = [];
  const events: AcceptorEvent[] = [];
  const objects = [1, 2, 3, 4, 5].map((n) => ({ uid: `1.2.3.4.5.${n}`, ...part10(`1.2.3.4.5.${n}`, 40_000 * n) }));
  let folder = '';
  let port = 0;
  const acceptor = new DicomAcceptor({
    authorize: () => ({ accept: true, acceptContext: (_, offered) => offered[0] ?? 4 }),
    onEvent: (event) => events.push(event),
    services: {
      echo: () => 0,
      store: {
        begin: (request) => {
          const chunks: Buffer[] = [];
          return {
            write: (chunk) => void chunks.push(Buffer.from(chunk)),
            end: async () => {
              stored.push({ request, dataset: Buffer.concat(chunks) });
              return { status: 0 };
            },
            abort: () => undefined,
          };
        },
      },
    },
  });

  beforeAll(async () => {
    ({ port } = await acceptor.listen({ host: '127.0.0.1', port: 0 }));
    folder = await mkdtemp(join(tmpdir(), 'dicom-net-'));
    for (const { uid, file } of objects) await writeFile(join(folder, `${uid}.dcm`), file);
  });
  afterAll(async () => {
    await acceptor.close({ graceMs: 1000 });
    await rm(folder, { recursive: true });
  });

  const released = (): number => events.filter((event) => event.type === 'released').length;
  function expectAllStored(): void {
    const byUid = new Map(stored.splice(0).map((one) => [one.request.sopInstanceUid, one]));
    for (const { uid, dataset } of objects) expect(byUid.get(uid)?.dataset.equals(dataset)).toBe(true);
    expect(byUid.size).toBe(objects.length);
  }

  (hasBackend('dcmtk') ? describe : describe.skip)('dcmtk', () => {
    it('echoscu, three times on one association and with 128 contexts', async () => {
      const before = released();
      await tool('echoscu', '-aec', 'PERENNIA', '--repeat', '3', '-pts', '38', '-ppc', '128', '127.0.0.1', String(port));
      expect(released()).toBe(before + 1);
    });

    it('storescu sends all with small and large PDUs, bytes equal', async () => {
      for (const pduBytes of ['4096', '131072']) {
        await tool('storescu', '-R', '-pdu', pduBytes, '--max-send-pdu', pduBytes, '-xe', '+sd', '-aec', 'PERENNIA', '127.0.0.1', String(port), folder);
        expectAllStored();
      }
    });

    it('dcmsend sends all over one association', async () => {
      await tool('dcmsend', '+sd', '-nuc', '-aec', 'PERENNIA', '127.0.0.1', String(port), folder);
      expectAllStored();
    });

    it('storescu --abort ends with an abort of the peer', async () => {
      await tool('storescu', '--abort', '-xe', '127.0.0.1', String(port), join(folder, '1.2.3.4.5.1.dcm'));
      expect(events.findLast((event) => event.type === 'aborted')).toMatchObject({ by: 'peer', abort: { source: 0 } });
      stored.length = 0;
    });

    it.each(SYNTAXES)('our requestor stores to storescp ($option)', async ({ option, uid }) => {
      const received = await mkdtemp(join(tmpdir(), 'storescp-'));
      const scpPort = await freePort();
      const scp = execFile(dcmtkTool('storescp')!, [option, '-aet', 'SCP', '-od', received, '-pdu', '16384', String(scpPort)], { env: ENVIRONMENT });
      try {
        const contexts = [
          { abstractSyntax: VERIFICATION, transferSyntaxes: ['1.2.840.10008.1.2'] },
          { abstractSyntax: CT_IMAGE_STORAGE, transferSyntaxes: [uid] },
        ];
        const association = await connectWithPatience({ host: '127.0.0.1', port: scpPort, callingAet: 'SCU', calledAet: 'SCP', contexts });
        expect(await association.echo()).toBe(0);
        if (uid === EXPLICIT_LITTLE) {
          for (const { uid: sopInstanceUid, dataset } of objects) {
            const operation = { sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid, transferSyntaxUid: uid, dataset };
            expect((await association.store(operation)).status).toBe(0);
          }
        }
        await association.release();
        expect(await readdir(received)).toHaveLength(uid === EXPLICIT_LITTLE ? objects.length : 0);
      } finally {
        scp.kill('SIGKILL');
        await rm(received, { recursive: true });
      }
    });
  });

  (hasBackend('python') ? describe : describe.skip)('pynetdicom', () => {
    it('negotiates, echoes, stores and releases', async () => {
      const before = released();
      const program = `
import sys
from pynetdicom import AE
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian
ae = AE(ae_title='PYNET')
ae.add_requested_context('1.2.840.10008.1.1')
ae.add_requested_context('${CT_IMAGE_STORAGE}', ExplicitVRLittleEndian)
assoc = ae.associate('127.0.0.1', ${port}, ae_title='PERENNIA')
assert assoc.is_established
assert assoc.send_c_echo().Status == 0
for path in sys.argv[1:]:
    assert assoc.send_c_store(dcmread(path)).Status == 0
assoc.release()
`;
      await tool('python3', '-c', program, ...objects.map(({ uid }) => join(folder, `${uid}.dcm`)));
      expectAllStored();
      expect(released()).toBe(before + 1);
    });
  });
});

async function freePort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** storescp says nothing when it is ready: connect until it is. */
async function connectWithPatience(options: Parameters<typeof DicomRequestor.connect>[0]) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await DicomRequestor.connect(options);
    } catch (error) {
      if (attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
