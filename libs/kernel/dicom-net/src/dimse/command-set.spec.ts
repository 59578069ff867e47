import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { rawCommand, rawElement, rawStoreRq } from '@perennia/testing';
import { decodeCommandSet, MalformedCommandError } from './command-set.js';
import { CommandWriter } from './command-writer.js';
import { QueryRetrieveSopClass } from './query-retrieve-sop-class.js';
import {
  encodeActionRequest, encodeCancelRequest, encodeEventReportRequest, encodeFindRequest, encodeRetrieveRequest, encodeStoreRequest,
} from './request.js';
import { encodePendingResponse, encodeResponse } from './response.js';

const PDU_AND_PDV_HEADERS = 12;

describe('command sets', () => {
  it('given a C-STORE-RQ, then every field is there', () => {
    const command = decodeCommandSet(rawStoreRq(77, '1.2.3'));
    expect(command).toMatchObject({ commandField: 1, messageId: 77, hasDataset: true, affectedSopInstanceUid: '1.2.3', moveOriginatorAet: '' });
  });

  it('given our own request, then it is what a peer built by hand', () => {
    const pdu = encodeStoreRequest(1, 16384, 77, { sopClassUid: '1.2.840.10008.5.1.4.1.1.2', sopInstanceUid: '1.2.3' });
    expect(pdu.subarray(PDU_AND_PDV_HEADERS)).toEqual(rawStoreRq(77, '1.2.3'));
  });

  it('given a move originator, then it goes out and comes back', () => {
    const fields = { sopClassUid: '1.2', sopInstanceUid: '1.3', moveOriginatorAet: 'MOVER', moveOriginatorMessageId: 12 };
    const command = decodeCommandSet(encodeStoreRequest(1, 16384, 1, fields).subarray(PDU_AND_PDV_HEADERS));
    expect(command).toMatchObject({ moveOriginatorAet: 'MOVER', moveOriginatorMessageId: 12 });
  });

  const SOP_CLASS = `000002001c000000${Buffer.from(`${QueryRetrieveSopClass.studyRootFind}\0`).toString('hex')}`;
  const MESSAGE_ID_RESPONDED_TO = '00002001020000000700';
  const hex = (...elements: readonly string[]): string => elements.join('');
  const findRequest = hex('00000000040000004c000000', SOP_CLASS, '00000001020000002000', '00001001020000000700', '00000007020000000000', '00000008020000000000');
  const findResponse = (dataSetType: string, status: string): string =>
    hex('00000000040000004c000000', SOP_CLASS, '00000001020000002080', MESSAGE_ID_RESPONDED_TO, `0000000802000000${dataSetType}`, `0000000902000000${status}`);
  const decodedFindRequest = decodeCommandSet(Buffer.from(findRequest, 'hex'));
  const bytesOf = (pdu: Buffer): string => pdu.subarray(PDU_AND_PDV_HEADERS).toString('hex');

  it('given a C-FIND-RQ, then its bytes are those of PS3.7 §9.3.2.1', () => {
    expect(bytesOf(encodeFindRequest(1, 16384, 7, QueryRetrieveSopClass.studyRootFind))).toBe(findRequest);
  });

  it.each([[0xff00, '00ff'], [0xff01, '01ff']])('given a pending C-FIND-RSP %d, then it announces an identifier (PS3.7 §9.3.2.2)', (status, bytes) => {
    expect(bytesOf(encodePendingResponse(decodedFindRequest, 1, 16384, status))).toBe(findResponse('0000', bytes));
  });

  it('given the final C-FIND-RSP, then it announces none', () => {
    expect(bytesOf(encodeResponse(decodedFindRequest, 1, 16384, 0xfe00))).toBe(findResponse('0101', '00fe'));
  });

  it('given a C-CANCEL-RQ, then its bytes are those of PS3.7 §9.3.2.3', () => {
    const expected = hex('00000000040000001e000000', '0000000102000000ff0f', MESSAGE_ID_RESPONDED_TO, '00000008020000000101');
    expect(bytesOf(encodeCancelRequest(1, 16384, 7))).toBe(expected);
  });

  it('given a C-MOVE-RQ, then its bytes are those of PS3.7 §9.3.4.1', () => {
    const expected = hex(
      '00000000040000005e000000', SOP_CLASS.replace(Buffer.from('2.2.1').toString('hex'), Buffer.from('2.2.2').toString('hex')), '00000001020000002100', '00001001020000000700',
      `000000060a000000${Buffer.from('WORKSTATIO').toString('hex')}`, '00000007020000000000', '00000008020000000000',
    );
    expect(bytesOf(encodeRetrieveRequest(1, 16384, 7, QueryRetrieveSopClass.studyRootMove, 'WORKSTATIO'))).toBe(expected);
    expect(decodeCommandSet(Buffer.from(expected, 'hex'))).toMatchObject({ moveDestination: 'WORKSTATIO', priority: 0, messageId: 7 });
  });

  it('given numbers of sub-operations, then those that are there are told, in the order of PS3.7 §9.3.4.2', () => {
    const response = bytesOf(encodeResponse(decodedFindRequest, 1, 16384, 0xff00, undefined, { subOperations: { remaining: 4, completed: 3, warning: 1 } }));
    expect(response.endsWith(hex('00002010020000000400', '00002110020000000300', '00002310020000000100'))).toBe(true);
    expect(decodeCommandSet(Buffer.from(response, 'hex'))).toMatchObject({
      remainingSubOperations: 4, completedSubOperations: 3, failedSubOperations: -1, warningSubOperations: 1,
    });
  });

  it('given an N-ACTION-RQ and an N-EVENT-REPORT-RQ, then they have the elements of PS3.7 §10.3.5.1 and §10.3.1.1', () => {
    const about = { sopClassUid: '1.2', sopInstanceUid: '1.3', transferSyntaxUid: '1.2.840.10008.1.2' };
    const action = decodeCommandSet(encodeActionRequest(1, 16384, 7, { ...about, actionTypeId: 1 }).subarray(PDU_AND_PDV_HEADERS));
    expect(action).toMatchObject({ commandField: 0x0130, requestedSopClassUid: '1.2', requestedSopInstanceUid: '1.3', actionTypeId: 1, hasDataset: false });
    const event = decodeCommandSet(encodeEventReportRequest(1, 16384, 7, { ...about, eventTypeId: 2, information: Buffer.alloc(2) }).subarray(PDU_AND_PDV_HEADERS));
    expect(event).toMatchObject({ commandField: 0x0100, affectedSopClassUid: '1.2', affectedSopInstanceUid: '1.3', eventTypeId: 2, hasDataset: true });
    for (const request of [action, event]) {
      const response = decodeCommandSet(encodeResponse(request, 1, 16384, 0).subarray(PDU_AND_PDV_HEADERS));
      const { eventTypeId, actionTypeId } = request;
      expect(response).toMatchObject({ affectedSopClassUid: '1.2', affectedSopInstanceUid: '1.3', eventTypeId, actionTypeId, messageIdRespondedTo: 7 });
    }
  });

  it('given optional elements without a value, as some peers send them, then they are absent', () => {
    const command = decodeCommandSet(rawCommand(
      rawElement(0x0100, 0x0021), rawElement(0x0110, 1), rawElement(0x0600, ''), rawElement(0x0700, ''), rawElement(0x0800, 1), rawElement(0x1020, ''),
    ));
    expect(command).toMatchObject({ moveDestination: '', priority: -1, remainingSubOperations: -1 });
  });

  it('given the longest UIDs and comment, then the response still fits one buffer', () => {
    const uid = '1'.repeat(64);
    const request = { ...decodeCommandSet(rawStoreRq(1, uid, uid)), requestedSopClassUid: '' };
    const response = decodeCommandSet(encodeResponse(request, 1, 16384, 0xa900, 'x'.repeat(200)).subarray(PDU_AND_PDV_HEADERS));
    expect(response).toMatchObject({ status: 0xa900, messageIdRespondedTo: 1, affectedSopInstanceUid: uid, errorComment: 'x'.repeat(64) });
  });

  it('given a maximum PDU of any size, then fragments obey it and add up', () => {
    fc.assert(fc.property(fc.integer({ min: 8, max: 300 }), (maxPduBytes) => {
      const pdus = new CommandWriter().uid(0x0002, '1.2.3').short(0x0100, 0x8001).short(0x0800, 0x0101).finish(1, maxPduBytes);
      const parts: Buffer[] = [];
      for (let at = 0; at < pdus.length; ) {
        const length = pdus.readUInt32BE(at + 2);
        expect(length).toBeLessThanOrEqual(maxPduBytes);
        parts.push(pdus.subarray(at + 12, at + 6 + length));
        at += 6 + length;
      }
      expect(decodeCommandSet(Buffer.concat(parts)).commandField).toBe(0x8001);
    }), { seed: 4 });
  });

  it.each([
    ['no group length', rawStoreRq(1).subarray(12)],
    ['a group length that lies', Buffer.concat([rawStoreRq(1), rawElement(0x1031, 5)])],
    ['an element of another group', rawCommand(rawElement(0x0100, 1), rawElement(0x0800, 1), Buffer.from([8, 0, 0x18, 0, 0, 0, 0, 0]))],
    ['no command field', rawCommand(rawElement(0x0800, 1))],
    ['no data set type', rawCommand(rawElement(0x0100, 1))],
    ['a message id of four bytes', rawCommand(rawElement(0x0100, 1), rawElement(0x0110, Buffer.alloc(4)), rawElement(0x0800, 1))],
    ['an undefined length', rawCommand(rawElement(0x0100, 1), Buffer.from([0, 0, 2, 0, 0xff, 0xff, 0xff, 0xff]))],
    ['an element cut short', rawCommand(rawElement(0x0100, 1), rawElement(0x0800, 1), Buffer.alloc(5))],
  ])('given %s, then it is malformed', (_name, bytes) => {
    expect(() => decodeCommandSet(bytes)).toThrow(MalformedCommandError);
  });

  it('given any change of bytes, then nothing but MalformedCommandError is thrown', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 5 }), fc.nat(120), (changes, length) => {
      const bytes = Buffer.from(rawStoreRq(1).subarray(0, length));
      for (const [at, to] of changes) if (at < bytes.length) bytes[at] = to;
      try {
        decodeCommandSet(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedCommandError);
      }
    }), { numRuns: 2000, seed: 5 });
  });
});
