// How a peer answered each presentation context. The requestor tells which it may use; why the others were refused stands in the
// A-ASSOCIATE-AC alone (PS3.8 §9.3.3.2), which is read here as it goes by. What cannot be read is left out: the requestor judges the PDU.
import type { Duplex } from 'node:stream';
import { ContextResult, type RequestedContext } from '@perennia/dicom-net';
import type { RefusedContext } from '../node-verification.js';

const ASSOCIATE_AC = 0x02;
const PDU_HEADER_BYTES = 6;
/** Protocol version, AE titles and what is reserved, before the items. */
const FIXED_BYTES = 68;
const ITEM_HEADER_BYTES = 4;
const CONTEXT_ITEM = 0x21;
const LONGEST_ANSWER_BYTES = 256 * 1024;

/** PS3.8 Table 9-18. */
const REASONS: Readonly<Record<number, string>> = {
  [ContextResult.userRejection]: 'rejected by the application of the node',
  [ContextResult.noReason]: 'rejected without a reason',
  [ContextResult.abstractSyntaxNotSupported]: 'abstract syntax (SOP class) not supported',
  [ContextResult.transferSyntaxesNotSupported]: 'none of the transfer syntaxes supported',
};

export class ContextResults {
  #bytes = Buffer.alloc(0);
  #results: ReadonlyMap<number, number> = new Map();

  /** @param transport connected, before an association is opened on it */
  constructor(private readonly transport: Duplex) {
    transport.on('data', this.#take);
  }

  /** @param contexts in the order in which they were proposed: their ids are 1, 3, 5 … */
  refused(contexts: readonly RequestedContext[]): RefusedContext[] {
    return contexts.flatMap(({ abstractSyntax, transferSyntaxes }, index) => {
      const result = this.#results.get(2 * index + 1);
      if (result === ContextResult.acceptance) return [];
      return [{ abstractSyntax, transferSyntaxes, result, reason: result === undefined ? 'not answered' : (REASONS[result] ?? `undefined result ${result}`) }];
    });
  }

  readonly #take = (chunk: Buffer): void => {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (this.#bytes.length < PDU_HEADER_BYTES) return;
    const endOfPdu = PDU_HEADER_BYTES + this.#bytes.readUInt32BE(2);
    const isAnswer = this.#bytes[0] === ASSOCIATE_AC && endOfPdu <= LONGEST_ANSWER_BYTES;
    if (isAnswer && this.#bytes.length < endOfPdu) return;
    this.transport.off('data', this.#take);
    if (isAnswer) this.#results = contextResults(this.#bytes.subarray(PDU_HEADER_BYTES + FIXED_BYTES, endOfPdu));
  };
}

/** @param items the variable items of an A-ASSOCIATE-AC. @returns result by context id */
function contextResults(items: Buffer): Map<number, number> {
  const results = new Map<number, number>();
  for (let at = 0; at + ITEM_HEADER_BYTES <= items.length; ) {
    const end = at + ITEM_HEADER_BYTES + items.readUInt16BE(at + 2);
    if (items[at] === CONTEXT_ITEM && end <= items.length && end - at >= 2 * ITEM_HEADER_BYTES) results.set(items[at + 4]!, items[at + 6]!);
    at = end;
  }
  return results;
}
