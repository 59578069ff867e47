// What the tests of C-MOVE and C-GET as SCP share: an acceptor that retrieves, requests built by hand, and a retrieval that is told what to do.
import {
  AcceptorHarness, CT_IMAGE_STORAGE, ECHO_CONTEXT, EXPLICIT_LITTLE, IMPLICIT_LITTLE, rawAssociateRq, rawCommand, rawData, rawElement, rawItem, rawPdv,
  type ScriptedPeer, settle, STORE_CONTEXT,
} from '@perennia/testing';
import { type CommandSet, decodeCommandSet } from '../src/dimse/command-set.js';
import type { DimseServices } from '../src/dimse/dimse-services.js';
import { GET_SOP_CLASSES, MOVE_SOP_CLASSES, QueryRetrieveSopClass } from '../src/dimse/query-retrieve-sop-class.js';
import type { GetRequest, MoveRequest, RetrieveOutcome, SubOperations } from '../src/dimse/retrieve-service.js';

export const MOVE = 7;
export const GET = 9;
export const MOVE_CONTEXT = { id: MOVE, abstractSyntax: QueryRetrieveSopClass.studyRootMove, transferSyntaxes: [IMPLICIT_LITTLE] };
export const GET_CONTEXT = { id: GET, abstractSyntax: QueryRetrieveSopClass.studyRootGet, transferSyntaxes: [EXPLICIT_LITTLE] };
const CONTEXTS = [STORE_CONTEXT, ECHO_CONTEXT, MOVE_CONTEXT, GET_CONTEXT];
export const AS_SCP = rawItem(0x54, Buffer.concat([Buffer.from([0, CT_IMAGE_STORAGE.length]), Buffer.from(CT_IMAGE_STORAGE), Buffer.from([0, 1])]));
export const window = (invoked: number, performed: number): Buffer => Buffer.from([0x53, 0, 0, 4, 0, invoked, 0, performed]);

type Steps = AsyncIterable<SubOperations, RetrieveOutcome>;
export const counts = (remaining: number, completed: number, failed = 0, warning = 0): SubOperations => ({ remaining, completed, failed, warning });
export const done = (completed: number, failed = 0, warning = 0): RetrieveOutcome => ({ completed, failed, warning });

export async function* atOnce(outcome: RetrieveOutcome): AsyncGenerator<SubOperations, RetrieveOutcome> {
  yield* [];
  return outcome;
}

export const moving = (move: (request: MoveRequest, identifier: Buffer) => Steps): DimseServices => ({ echo: () => 0, move: { sopClassUids: MOVE_SOP_CLASSES, retrieve: move } });
export const getting = (get: (request: GetRequest, identifier: Buffer) => Steps): DimseServices => ({ echo: () => 0, get: { sopClassUids: GET_SOP_CLASSES, retrieve: get } });

export function harnessOf(services: DimseServices, over: Partial<ConstructorParameters<typeof AcceptorHarness>[0]> = {}): AcceptorHarness {
  return new AcceptorHarness({
    authorize: () => ({ accept: true, session: 'session', acceptContext: (_, offered) => offered[0] ?? 4, acceptRole: () => ({ scu: true, scp: true }) }),
    services, ...over,
  });
}
export async function peerOf(harness: AcceptorHarness, userItems: Buffer[] = [AS_SCP]): Promise<ScriptedPeer> {
  const peer = harness.connect();
  await peer.associate(rawAssociateRq({ contexts: CONTEXTS, userItems }));
  return peer;
}

export function rawRetrieve(contextId: number, messageId: number, over: { sopClassUid?: string; dataset?: Buffer | null; priority?: number } = {}): Buffer {
  const isMove = contextId === MOVE;
  const { sopClassUid = (isMove ? MOVE_CONTEXT : GET_CONTEXT).abstractSyntax, dataset = Buffer.from('identifier'), priority = 0 } = over;
  const command = rawCommand(
    rawElement(0x0002, sopClassUid), rawElement(0x0100, isMove ? 0x0021 : 0x0010), rawElement(0x0110, messageId),
    ...(isMove ? [rawElement(0x0600, 'WORKSTATION ')] : []), rawElement(0x0700, priority), rawElement(0x0800, dataset ? 1 : 0x0101),
  );
  return Buffer.concat([rawData(rawPdv(contextId, 3, command)), ...(dataset ? [rawData(rawPdv(contextId, 2, dataset))] : [])]);
}
export const rawStoreRsp = (messageId: number, status = 0): Buffer => rawData(rawPdv(1, 3, rawCommand(
  rawElement(0x0002, CT_IMAGE_STORAGE), rawElement(0x0100, 0x8001), rawElement(0x0120, messageId), rawElement(0x0800, 0x0101), rawElement(0x0900, status),
)));

export interface Message extends CommandSet {
  readonly contextId: number;
  readonly dataset: string | null;
}

/** The next DIMSE message; fails where fragments of two are mixed. */
export async function message(peer: ScriptedPeer): Promise<Message> {
  const parts: Buffer[] = [];
  let command: CommandSet | null = null;
  let contextId = 0;
  for (;;) {
    const body = await peer.expect(4);
    const control = body[5] ?? 0;
    if (contextId !== 0 && contextId !== body[4]) throw new Error('fragments of two messages are mixed');
    if ((control & 1) === (command ? 1 : 0)) throw new Error('a command inside a dataset, or a dataset without a command');
    contextId = body[4] ?? 0;
    parts.push(body.subarray(6));
    if (!(control & 2)) continue;
    const bytes = Buffer.concat(parts.splice(0));
    if (command) return { ...command, contextId, dataset: bytes.toString('latin1') };
    command = decodeCommandSet(bytes);
    if (!command.hasDataset) return { ...command, contextId, dataset: null };
  }
}
export const countsOf = ({ remainingSubOperations: r, completedSubOperations: c, failedSubOperations: f, warningSubOperations: w }: CommandSet): number[] => [r, c, f, w];

/** A retrieval that stands until it is told what to do. */
export class Steered {
  #next: IteratorResult<SubOperations, RetrieveOutcome> | Error | null = null;
  #wake: () => void = () => undefined;
  aborted = 0;
  ended = 0;

  readonly steps = async function* (this: Steered, request: { signal: AbortSignal }): AsyncGenerator<SubOperations, RetrieveOutcome> {
    request.signal.addEventListener('abort', () => this.aborted++);
    try {
      for (;;) {
        while (!this.#next) await new Promise<void>((resolve) => (this.#wake = resolve));
        const next = this.#next;
        this.#next = null;
        if (next instanceof Error) throw next;
        if (next.done) return next.value;
        yield next.value;
      }
    } finally {
      this.ended++;
    }
  }.bind(this);

  async yields(value: SubOperations): Promise<void> {
    await this.#go({ value, done: false });
  }
  async returns(value: RetrieveOutcome): Promise<void> {
    await this.#go({ value, done: true });
  }
  async throws(error: Error): Promise<void> {
    await this.#go(error);
  }
  async #go(next: IteratorResult<SubOperations, RetrieveOutcome> | Error): Promise<void> {
    this.#next = next;
    this.#wake();
    await settle();
  }
}
