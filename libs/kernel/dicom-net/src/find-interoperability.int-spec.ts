// Our C-FIND SCP against the client people really use: dcmtk's findscu, in every transfer syntax of an identifier it proposes.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { dcmtkTool, hasBackend } from '@perennia/testing';
import { type AcceptorEvent, DicomAcceptor, DimseFailure, type FindAnswer, type FindRequest, QUERY_SOP_CLASSES, QueryRetrieveSopClass } from './index.js';

const run = promisify(execFile);
const studyUid = (n: number): string => `1.2.3.${n}`;
const occurrences = (text: string, part: string): number => text.split(part).length - 1;

(hasBackend('dcmtk') ? describe : describe.skip)('findscu', () => {
  const requests: { request: FindRequest; identifier: Buffer }[] = [];
  const events: AcceptorEvent[] = [];
  let port = 0;
  let studies = 0;
  let ended = 0;
  let failure: Error | null = null;

  async function* find(request: FindRequest, identifier: Buffer): AsyncGenerator<FindAnswer> {
    requests.push({ request, identifier });
    try {
      for (let n = 1; n <= studies; n++) {
        const match = new Dataset().set('QueryRetrieveLevel', 'STUDY').set('PatientID', `P${n}`).set('StudyInstanceUID', studyUid(n));
        yield { identifier: writeDataset(match, request.transferSyntaxUid) };
      }
      if (failure) throw failure;
    } finally {
      ended++;
    }
  }
  const acceptor = new DicomAcceptor({
    authorize: () => ({ accept: true, acceptContext: (_, offered) => offered[0] ?? 4 }),
    services: { find: { sopClassUids: QUERY_SOP_CLASSES, find } },
    onEvent: (event) => events.push(event),
  });

  beforeAll(async () => {
    ({ port } = await acceptor.listen({ host: '127.0.0.1', port: 0 }));
  });
  afterAll(() => acceptor.close({ graceMs: 1000 }));

  /** What findscu says, in the order in which it says it. */
  async function findscu(...parameters: string[]): Promise<string> {
    const keys = ['-k', '0008,0052=STUDY', '-k', 'PatientID=', '-k', 'StudyInstanceUID='];
    const { stdout, stderr } = await run(dcmtkTool('findscu')!, ['-v', '-aec', 'PERENNIA', ...parameters, ...keys, '127.0.0.1', String(port)], {
      env: { ...process.env, TCP_NODELAY: '1' }, timeout: 30_000, maxBuffer: 1 << 26,
    });
    return stdout + stderr;
  }
  function reset(over: { studies: number; failure?: Error }): void {
    requests.length = 0;
    events.length = 0;
    ended = 0;
    ({ studies } = over);
    failure = over.failure ?? null;
  }

  it.each([
    ['-P', '-xi', QueryRetrieveSopClass.patientRootFind, '1.2.840.10008.1.2'],
    ['-S', '-xe', QueryRetrieveSopClass.studyRootFind, '1.2.840.10008.1.2.1'],
    ['-S', '-xb', QueryRetrieveSopClass.studyRootFind, '1.2.840.10008.1.2.2'],
    ['-O', '-xd', QueryRetrieveSopClass.patientStudyOnlyFind, '1.2.840.10008.1.2.1.99'],
  ])('given %s and %s, then it reads every match, and the service learns SOP class and transfer syntax', async (model, syntax, sopClassUid, transferSyntaxUid) => {
    reset({ studies: 3 });
    const said = await findscu(model, syntax);
    for (let n = 1; n <= 3; n++) expect(said).toContain(`[${studyUid(n)}`);
    expect(said).toContain('Received Final Find Response (Success)');
    expect(requests).toMatchObject([{ request: { sopClassUid, transferSyntaxUid } }]);
    expect(events.map((event) => event.type)).toEqual(['accepted', 'released']);
  });

  it('given no match, then it hears of success alone', async () => {
    reset({ studies: 0 });
    const said = await findscu('-S');
    expect(occurrences(said, '(Pending)')).toBe(0);
    expect(said).toContain('Received Final Find Response (Success)');
  });

  it('given 2,000 matches and its smallest PDU, then it counts them all', async () => {
    reset({ studies: 2000 });
    const said = await findscu('-S', '-pdu', '4096');
    expect(occurrences(said, '(Pending)')).toBe(2000);
    expect(said).toContain(`[${studyUid(2000)}`);
  });

  it('given --cancel 5, then it gets the final answer of a cancelled search and the search has ended', async () => {
    reset({ studies: 1_000_000 });
    const said = await findscu('-S', '--cancel', '5');
    expect(said).toContain('Received Final Find Response (Cancel');
    expect(ended).toBe(1);
    expect(events.map((event) => event.type)).toEqual(['accepted', 'released']);
  });

  it('given a search that fails after a match, then it hears status and comment', async () => {
    reset({ studies: 1, failure: new DimseFailure(0xa700, 'More than 1000 matches') });
    const said = await findscu('-S', '-d');
    expect(said).toContain(`[${studyUid(1)}`);
    expect(said).toContain('0xa700');
    expect(said).toContain('More than 1000 matches');
  });

  it('given --repeat 3 on one association, then three searches are answered', async () => {
    reset({ studies: 1 });
    const said = await findscu('-S', '--repeat', '3');
    expect(occurrences(said, 'Received Final Find Response (Success)')).toBe(3);
    expect(requests).toHaveLength(3);
  });

  it('given --abort, then the association ends with an abort of the peer', async () => {
    reset({ studies: 1 });
    await findscu('-S', '--abort');
    expect(events.at(-1)).toMatchObject({ type: 'aborted', by: 'peer' });
  });
});
