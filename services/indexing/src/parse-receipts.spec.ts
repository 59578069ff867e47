import { describe, expect, it } from '@jest/globals';
import type { InstanceReceived } from '@perennia/contracts';
import type { LogRecord } from '@perennia/messaging';
import { instanceReceived, receipt, receivedEnvelope } from '@perennia/testing';
import { wholeReceipt } from './incoming-receipt.js';
import { parseReceipts } from './parse-receipts.js';

const record = (value: string): LogRecord => ({ topic: 't', partition: 0, offset: 1, key: 'k', value: Buffer.from(value) });
const text = (data: unknown): string => JSON.stringify(receivedEnvelope(data as InstanceReceived));
/** What looks like the parts of a receipt, in the values of one. */
const DECEITFUL = ',"attributes":{"study":{ },"series":{ },"instance":{ }},"search":{ "data":{ \\ } ] "';

describe('parseReceipts', () => {
  it('gives the receipt that was written, whatever its values look like', () => {
    const odd = instanceReceived(receipt({ patientName: DECEITFUL, accessionNumber: '\\"},"series":{', modality: '},"instance":{' }));
    odd.attributes.instance = { '00400275': { vr: 'SQ', Value: [{ '00321060': { vr: 'LO', Value: [DECEITFUL] } }] }, '00104000': { vr: 'LT', Value: ['Żaneta\n\u001b'] } };
    for (const data of [odd, instanceReceived({ ...receipt(), attributes: { study: {}, series: {}, instance: {} } })]) {
      expect(parseReceipts([record(text(data))]).map(wholeReceipt)).toEqual([data]);
    }
  });

  it('goes on from the span that sent the record, or from the one that stored its object', () => {
    const [stored, sent] = ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '00-4bf92f3577b34da6a3ce929d0e0e4736-1111111111111111-01'];
    const data = { ...instanceReceived(receipt()), traceparent: stored };
    const { data: _, ...envelope } = receivedEnvelope(data);
    const values = [{ ...envelope, traceparent: sent, data }, { ...envelope, data }, { ...envelope, traceparent: sent, data: instanceReceived(receipt()) }];
    expect(parseReceipts(values.map((value) => record(JSON.stringify(value)))).map(({ traceparent }) => traceparent)).toEqual([sent, stored, undefined]);
  });

  it('parses what instances have in common once', () => {
    const [one, other] = parseReceipts([1, 2].map((instanceNumber) => record(text(instanceReceived(receipt({ instanceNumber }))))));
    expect(one!.attributes.study).toBe(other!.attributes.study);
    expect(one!.attributes.instance).not.toBe(other!.attributes.instance);
  });

  it('takes a receipt whose fields stand in another order', () => {
    const data = instanceReceived(receipt());
    const { attributes, ...rest } = data;
    const { study, ...others } = attributes;
    expect(parseReceipts([record(text({ ...rest, attributes }))]).map(wholeReceipt)).toEqual([data]);
    expect(parseReceipts([record(text({ ...rest, attributes: { ...others, study } }))]).map(wholeReceipt)).toEqual([data]);
  });

  it('replaces what the database cannot store', () => {
    const [parsed] = parseReceipts([record(text(instanceReceived(receipt({ patientName: 'A\0B\ud800' }))))]);
    expect(parsed!.attributes.study['00100010']!.Value).toEqual([{ Alphabetic: 'AB\ufffd' }]);
  });

  it.each(['{"data":{}}', 'nonsense', '{"data":{"receiptId":1}}', ''])('refuses %s', (value) => {
    expect(() => parseReceipts([record(value)])).toThrow('no receipt');
  });
});
