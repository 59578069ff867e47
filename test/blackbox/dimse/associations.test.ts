// D24: who is connected, told by the command; a connection that is aborted by it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DicomRequestor, type RequestorAssociation } from '@perennia/dicom-net';
import { Product } from '@perennia/testing';
import { vna } from './archive-tools.js';

const directory = mkdtempSync(join(tmpdir(), 'perennia-associations-'));
const data = join(directory, 'data');
const VERIFICATION = '1.2.840.10008.1.1';
const STUDY_ROOT_FIND = '1.2.840.10008.5.1.4.1.2.2.1';
let product: Product;

beforeAll(async () => {
  product = await Product.start({ dataDirectory: data, environment: { VNA_LOG_LEVEL: 'warn' } });
}, 90_000);
afterAll(async () => {
  await product?.stop();
  rmSync(directory, { recursive: true, force: true });
});

interface Listed {
  associations: { id: string; callingAet: string; calledAet: string; peer: string; since: string; outstandingOperations: number }[];
}
const asked = async <Result>(...parameters: string[]): Promise<Result> => JSON.parse(await vna(product, ...parameters, '--json')) as Result;
const open = (callingAet: string, abstractSyntax: string): Promise<RequestorAssociation> =>
  DicomRequestor.connect({ host: '127.0.0.1', port: product.dicomPort, callingAet, calledAet: 'PERENNIA', contexts: [{ abstractSyntax, transferSyntaxes: ['1.2.840.10008.1.2'] }] });

describe('D24 open associations', () => {
  it('are listed, those that store and those that ask, each with the process that has it', async () => {
    const [sender, asker] = [await open('SENDER', VERIFICATION), await open('ASKER', STUDY_ROOT_FIND)];
    const { associations } = await asked<Listed>('associations', 'list');
    expect(associations.map(({ id, callingAet, calledAet }) => [id.split('/')[0], callingAet, calledAet])).toEqual([['ingest', 'SENDER', 'PERENNIA'], ['web', 'ASKER', 'PERENNIA']]);
    expect(associations[0]).toMatchObject({ outstandingOperations: 0, peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/), since: expect.stringMatching(/^20\d\d-/) });
    await Promise.all([sender.release(), asker.release()]);
    expect(await asked<Listed>('associations', 'list')).toEqual({ associations: [] });
  });
  it('are aborted by their id; another one goes on', async () => {
    const [stuck, other] = [await open('STUCK', VERIFICATION), await open('OTHER', VERIFICATION)];
    const { id } = (await asked<Listed>('associations', 'list')).associations.find(({ callingAet }) => callingAet === 'STUCK')!;
    await asked('associations', 'abort', id);
    await expect(stuck.echo()).rejects.toThrow();
    expect(await other.echo()).toBe(0);
    await other.release();
    await expect(asked('associations', 'abort', id)).rejects.toThrow(/no open association/);
  });
  it('are told to nobody without the secret of the process', async () => {
    const { processes } = JSON.parse(readFileSync(join(data, 'run/archive.json'), 'utf8')) as { processes: { name: string; healthPort: number }[] };
    const { healthPort } = processes.find(({ name }) => name === 'ingest')!;
    expect((await fetch(`http://127.0.0.1:${healthPort}/associations`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${healthPort}/associations`, { headers: { authorization: 'Bearer guessed' } })).status).toBe(401);
  });
});
