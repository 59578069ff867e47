import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { rawAssociateRq, rawItem } from '@perennia/testing';
import { MalformedPduError } from './associate-items.js';
import { decodeAssociateAc, decodeAssociateRq, encodeAssociateAc, encodeAssociateRq } from './associate-pdu.js';

const uid = fc.stringMatching(/^[1-9](\.[0-9]{1,6}){1,6}$/);
const aet = fc.stringMatching(/^[A-Z0-9_]{1,16}$/);
const bytes = fc.uint8Array({ maxLength: 30 }).map((value) => Buffer.from(value));
const window = fc.record({ maxInvoked: fc.nat(0xffff), maxPerformed: fc.nat(0xffff) });
const roles = fc.array(fc.record({ sopClassUid: uid, scu: fc.boolean(), scp: fc.boolean() }), { maxLength: 3 });
const extendedNegotiations = fc.array(fc.record({ sopClassUid: uid, information: bytes }), { maxLength: 3 });
const user = {
  maxPduBytes: fc.nat(0xffffffff), implementationClassUid: uid, implementationVersion: aet, roles, extendedNegotiations,
  commonExtendedNegotiations: fc.array(
    fc.record({ sopClassUid: uid, serviceClassUid: uid, relatedGeneralSopClassUids: fc.array(uid, { maxLength: 3 }) }), { maxLength: 2 },
  ),
};
const request = fc.record({
  protocolVersion: fc.constant(1), applicationContext: uid, callingAet: aet, calledAet: aet,
  presentationContexts: fc.uniqueArray(
    fc.record({ id: fc.nat(127).map((n) => 2 * n + 1), abstractSyntax: uid, transferSyntaxes: fc.array(uid, { maxLength: 4 }) }),
    { maxLength: 5, selector: (context) => context.id },
  ),
  ...user,
  operationsWindow: window,
  userIdentity: fc.record({ type: fc.integer({ min: 1, max: 5 }), positiveResponseRequested: fc.boolean(), primaryField: bytes, secondaryField: bytes }),
});

const contexts = (ids: readonly number[]) => ids.map((id) => ({ id, abstractSyntax: '1.2.3', transferSyntaxes: ['1.2'] }));
const oddIds = (count: number): number[] => Array.from({ length: count }, (_, n) => 2 * n + 1);

describe('associate PDUs', () => {
  it('given any request, then decoding its encoding gives it back', () => {
    fc.assert(fc.property(request, (value) => {
      expect(decodeAssociateRq(encodeAssociateRq(value).subarray(6), 128)).toEqual(value);
    }), { numRuns: 200, seed: 8 });
  });

  it('given any answer, then decoding its encoding gives it back', () => {
    const answer = fc.record({
      callingAet: aet, calledAet: aet,
      contexts: fc.array(fc.record({ id: fc.nat(255), result: fc.nat(4), transferSyntax: uid }), { maxLength: 5 }),
      user: fc.record({ ...user, operationsWindow: window, userIdentityResponse: bytes }),
    });
    fc.assert(fc.property(answer, (value) => {
      expect(decodeAssociateAc(encodeAssociateAc(value).subarray(6))).toEqual(value);
    }), { numRuns: 200, seed: 9 });
  });

  it('given a request of another implementation, then names and UIDs are trimmed and unknown items are skipped', () => {
    const decoded = decodeAssociateRq(rawAssociateRq({
      callingAet: '  MODALITY',
      contexts: [{ id: 1, abstractSyntax: '1.2.3\0', transferSyntaxes: ['1.2.840.10008.1.2 '] }],
      userItems: [rawItem(0x77, Buffer.from('?'))],
      extraItems: [rawItem(0x99, Buffer.from('?'))],
    }).subarray(6), 128);
    expect(decoded.callingAet).toBe('MODALITY');
    expect(decoded.presentationContexts).toEqual([{ id: 1, abstractSyntax: '1.2.3', transferSyntaxes: ['1.2.840.10008.1.2'] }]);
  });

  it.each([
    ['an even context id', rawAssociateRq({ contexts: contexts([2]) })],
    ['a repeated context id', rawAssociateRq({ contexts: contexts([1, 1]) })],
    ['129 contexts', rawAssociateRq({ contexts: contexts([...oddIds(128), 1]) })],
    ['an item longer than the PDU', rawAssociateRq({ extraItems: [Buffer.from([0x20, 0, 0xff, 0xff, 1])] })],
    ['half an item header', rawAssociateRq({ extraItems: [Buffer.from([0x20, 0])] })],
    ['a maximum length of three bytes', rawAssociateRq({ userItems: [rawItem(0x51, Buffer.alloc(3))] })],
    ['a user identity cut short', rawAssociateRq({ userItems: [rawItem(0x58, Buffer.from([1, 1, 0, 9, 65]))] })],
  ])('given %s, then it is malformed', (_name, pdu) => {
    expect(() => decodeAssociateRq(pdu.subarray(6), 128)).toThrow(MalformedPduError);
  });

  it('given 128 contexts, then all are taken, and with a lower limit one more is malformed', () => {
    const pdu = rawAssociateRq({ contexts: contexts(oddIds(128)) }).subarray(6);
    expect(decodeAssociateRq(pdu, 128).presentationContexts).toHaveLength(128);
    expect(() => decodeAssociateRq(pdu, 127)).toThrow('too many');
  });

  it('given random bytes, then nothing but MalformedPduError is thrown', () => {
    const body = fc.tuple(fc.constant(rawAssociateRq().subarray(6)), fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 8 }), fc.nat(300));
    fc.assert(fc.property(body, ([valid, changes, length]) => {
      const changed = Buffer.from(valid.subarray(0, Math.max(68, length)));
      for (const [at, to] of changes) if (at < changed.length) changed[at] = to;
      for (const decode of [() => decodeAssociateRq(changed, 128), () => decodeAssociateAc(changed)]) {
        try {
          decode();
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedPduError);
        }
      }
    }), { numRuns: 1500, seed: 10 });
  });
});
