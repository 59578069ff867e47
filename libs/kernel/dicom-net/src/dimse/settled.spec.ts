// Whatever a peer does with operations that take long, in whatever order: each ends once, nothing is left, and the process lives.
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  AcceptorHarness, CT_IMAGE_STORAGE, ECHO_CONTEXT, EXPLICIT_LITTLE, RAW_ABORT, RAW_RELEASE_RQ, rawAssociateRq, rawCancel, rawCommand, rawData, rawEchoRq, rawElement,
  rawPdv, type ScriptedPeer, settle, STORE_CONTEXT,
} from '@perennia/testing';
import { AS_SCP, done, GET, GET_CONTEXT, MOVE, MOVE_CONTEXT, rawRetrieve, rawStoreRsp, window } from '../../test-parts/retrieve-peer.js';
import type { DimseServices } from './dimse-services.js';
import { GET_SOP_CLASSES, MOVE_SOP_CLASSES } from './query-retrieve-sop-class.js';
import type { RetrieveOutcome, SubOperations } from './retrieve-service.js';
import { StorageCommitment } from './storage-commitment.js';

const { sopClassUid, sopInstanceUid } = StorageCommitment;
const ACTION_CONTEXT = { id: 11, abstractSyntax: sopClassUid, transferSyntaxes: [EXPLICIT_LITTLE] };
const rawAction = (messageId: number): Buffer => rawData(rawPdv(11, 3, rawCommand(
  rawElement(0x0003, sopClassUid), rawElement(0x0100, 0x0130), rawElement(0x0110, messageId), rawElement(0x0800, 0x0101),
  rawElement(0x1001, sopInstanceUid), rawElement(0x1008, 1),
)));

/** Operations by how often they began and ended. */
class Tally {
  begun = 0;
  ended = 0;

  async run<T>(operation: () => Promise<T>): Promise<T> {
    this.begun++;
    try {
      return await operation();
    } finally {
      this.ended++;
    }
  }
}

function servicesOf(retrievals: Tally, invoked: Tally): DimseServices {
  async function* get(request: Parameters<NonNullable<DimseServices['get']>['retrieve']>[0]): AsyncGenerator<SubOperations, RetrieveOutcome> {
    retrievals.begun++;
    let completed = 0;
    try {
      for (const remaining of [3, 2, 1]) {
        yield { remaining, completed, failed: 0, warning: 0 };
        const dataset = Buffer.alloc(100_000 * remaining);
        const { status } = await invoked.run(() => request.store({ sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid: '1.2', transferSyntaxUid: EXPLICIT_LITTLE, dataset }));
        if (status === 0) completed++;
      }
      return done(completed, 3 - completed);
    } finally {
      retrievals.ended++;
    }
  }
  async function* move({ signal }: { signal: AbortSignal }): AsyncGenerator<SubOperations, RetrieveOutcome> {
    retrievals.begun++;
    try {
      yield { remaining: 1, completed: 0, failed: 0, warning: 0 };
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return done(1);
    } finally {
      retrievals.ended++;
    }
  }
  return {
    echo: () => 0,
    get: { sopClassUids: GET_SOP_CLASSES, retrieve: get },
    move: { sopClassUids: MOVE_SOP_CLASSES, retrieve: move },
    action: { sopClassUids: new Set([sopClassUid]), perform: (request) => {
      const event = { sopClassUid, sopInstanceUid, transferSyntaxUid: EXPLICIT_LITTLE, eventTypeId: 1 };
      void invoked.run(() => request.report(event)).catch(() => undefined);
      return { status: 0 };
    } },
  };
}

type Step = (peer: ScriptedPeer, harness: AcceptorHarness) => unknown;
const id = fc.integer({ min: 1, max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  id.map((n): Step => (peer) => peer.send(rawRetrieve(GET, n))),
  id.map((n): Step => (peer) => peer.send(rawRetrieve(MOVE, n))),
  id.map((n): Step => (peer) => peer.send(rawAction(n))),
  id.map((n): Step => (peer) => peer.send(rawData(rawPdv(3, 3, rawEchoRq(n))))),
  id.map((n): Step => (peer) => peer.send(rawCancel(n, GET))),
  fc.tuple(id, fc.constantFrom(0, 0xa700)).map(([n, status]): Step => (peer) => peer.send(rawStoreRsp(n, status))),
  fc.constant<Step>(() => settle()),
  fc.constantFrom(100, 600, 1100).map((ms): Step => (_peer, harness) => harness.timers.advance(ms)),
);
const ending: fc.Arbitrary<Step> = fc.constantFrom<Step[]>(
  (peer) => peer.send(RAW_ABORT), (peer) => peer.vanish(), (peer) => peer.send(RAW_RELEASE_RQ),
  (_peer, harness) => [...harness.acceptor.associations].forEach((one) => one.abort('enough')),
);

describe('operations of an accepted association', () => {
  it('given any order of requests, cancels, answers, and an end of any kind, then each operation ends once, and nothing is left', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 12 }), ending, fc.constantFrom(1, 3), async (steps, end, size) => {
      const [retrievals, invoked] = [new Tally(), new Tally()];
      const harness = new AcceptorHarness({
        authorize: () => ({ accept: true, acceptContext: (_, offered) => offered[0] ?? 4, acceptRole: () => ({ scu: true, scp: true }) }),
        services: servicesOf(retrievals, invoked),
      });
      const peer = harness.connect();
      const contexts = [STORE_CONTEXT, ECHO_CONTEXT, MOVE_CONTEXT, GET_CONTEXT, ACTION_CONTEXT];
      await peer.associate(rawAssociateRq({ contexts, userItems: [AS_SCP, window(size, size)] }));
      for (const go of steps) await go(peer, harness);
      await end(peer, harness);
      for (let turn = 0; turn < 4; turn++) await settle();
      harness.timers.advance(120_000);
      await settle();
      expect([retrievals.ended, invoked.ended]).toEqual([retrievals.begun, invoked.begun]);
      expect([...harness.acceptor.associations]).toEqual([]);
      expect(harness.timers.pending).toBe(0);
      expect(harness.types().filter((type) => type === 'released' || type === 'aborted')).toHaveLength(1);
      expect(harness.events.filter((event) => event.type === 'failure')).toEqual([]);
    }), { numRuns: 300, seed: 7 });
  });
});
