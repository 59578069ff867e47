import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { rawStoreRq } from '@perennia/testing';
import { PduReader } from '../ul/pdu-reader.js';
import { writeDataHeader } from '../ul/pdu-writer.js';
import { MessageReader } from './message-reader.js';
import { MessageWriter } from './message-writer.js';

/** Wire bytes back into a message by the product's own readers, with the largest PDU that came. */
function readBack(wire: Buffer, maxPduBytes: number): { dataset: Buffer; messages: number; faults: string[] } {
  const data: Buffer[] = [];
  const faults: string[] = [];
  let messages = 0;
  const reader = new MessageReader({
    isAccepted: () => true, messageBegins: () => undefined, command: () => undefined,
    data: (bytes) => void data.push(bytes), dataEnd: () => void messages++, fault: (_, detail) => void faults.push(detail),
  }, 65536);
  new PduReader({
    control: () => void faults.push('control PDU'), dataPdu: () => undefined, value: (id, control) => reader.value(id, control),
    fragment: (bytes) => reader.fragment(bytes), valueEnd: () => reader.valueEnd(), invalid: (_, detail) => void faults.push(detail),
  }, { maxPduBytes, maxAssociateBytes: 1 }).push(wire);
  return { dataset: Buffer.concat(data), messages, faults };
}

async function* inChunks(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield chunk;
}

function commandPdu(): Buffer {
  const command = rawStoreRq(1);
  const header = Buffer.alloc(12);
  writeDataHeader(header, 0, command.length, 1, 3);
  return Buffer.concat([header, command]);
}

describe('message writer', () => {
  const chunk = fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes));

  it('given any dataset in any chunks and any maximum, then the same bytes arrive in PDUs no larger', async () => {
    await fc.assert(fc.asyncProperty(fc.array(chunk, { maxLength: 8 }), fc.integer({ min: 130, max: 700 }), fc.boolean(), async (chunks, max, whole) => {
      const sent: Buffer[] = [];
      const sender = { canSend: true, sendParts: (parts: readonly Buffer[]) => (sent.push(...parts), true), drained: async () => undefined };
      const dataset = Buffer.concat(chunks);
      await new MessageWriter(sender, 1, max).send(commandPdu(), whole ? dataset : inChunks(chunks));
      expect(readBack(Buffer.concat(sent), max)).toEqual({ dataset, messages: 1, faults: [] });
    }), { numRuns: 200, seed: 6 });
  });

  it('given a full socket, then it waits before it takes more of the dataset', async () => {
    let taken = 0;
    let open!: () => void;
    const sender = { canSend: true, sendParts: () => false, drained: () => new Promise<void>((resolve) => (open = resolve)) };
    async function* endless(): AsyncGenerator<Buffer> {
      while (taken < 10) {
        taken++;
        yield Buffer.alloc(100_000);
      }
    }
    const sending = new MessageWriter(sender, 1, 16_384).send(commandPdu(), endless());
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBe(1);
    let finished = false;
    void sending.then(() => (finished = true));
    while (!finished) {
      open();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(taken).toBe(10);
  });

  it('given an association that ended, then it stops reading the dataset', async () => {
    let returned = false;
    async function* dataset(): AsyncGenerator<Buffer> {
      try {
        for (;;) yield Buffer.alloc(100_000);
      } finally {
        returned = true;
      }
    }
    const sender = { canSend: false, sendParts: () => true, drained: async () => undefined };
    await expect(new MessageWriter(sender, 1, 16_384).send(commandPdu(), dataset())).rejects.toThrow('ended');
    expect(returned).toBe(true);
  });
});
