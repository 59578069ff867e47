// Writes one command set into one buffer, with room in front for the P-DATA header, so that a whole response is a
// single allocation and a single write. Elements must be added in ascending order (PS3.7 §6.3.1).
import { COMMAND_FRAGMENT, LAST_FRAGMENT } from '../ul/pdu.js';
import { DATA_PDU_OVERHEAD_BYTES, encodeDataPdus, maxPayloadBytes, writeDataHeader } from '../ul/pdu-writer.js';

const GROUP_LENGTH_BYTES = 12;
/** Fits every command we write: about ten elements, each text at most 64 characters. */
const CAPACITY_BYTES = 640;
const MAX_TEXT_CHARACTERS = 64;

export class CommandWriter {
  readonly #out = Buffer.allocUnsafe(CAPACITY_BYTES);
  #at = DATA_PDU_OVERHEAD_BYTES + GROUP_LENGTH_BYTES;

  short(element: number, value: number): this {
    const at = this.#header(element, 2);
    this.#out.writeUInt16LE(value, at);
    return this;
  }

  uid(element: number, value: string): this {
    return this.#text(element, value, 0);
  }

  /** Outside of ISO 646 a command set has no characters (PS3.7 §6.3.1): others become a question mark. */
  text(element: number, value: string): this {
    return this.#text(element, value.replace(/[^\x20-\x5b\x5d-\x7e]/g, '?'), 0x20);
  }

  /** The finished P-DATA-TF PDUs: one, unless the peer takes only very small ones. */
  finish(contextId: number, peerMaxPduBytes: number): Buffer {
    const out = this.#out;
    const commandBytes = this.#at - DATA_PDU_OVERHEAD_BYTES;
    this.#at = DATA_PDU_OVERHEAD_BYTES;
    this.#header(0, 4);
    out.writeUInt32LE(commandBytes - GROUP_LENGTH_BYTES, DATA_PDU_OVERHEAD_BYTES + 8);
    if (commandBytes > maxPayloadBytes(peerMaxPduBytes)) {
      const command = out.subarray(DATA_PDU_OVERHEAD_BYTES, DATA_PDU_OVERHEAD_BYTES + commandBytes);
      return encodeDataPdus(command, contextId, peerMaxPduBytes, COMMAND_FRAGMENT);
    }
    writeDataHeader(out, 0, commandBytes, contextId, COMMAND_FRAGMENT | LAST_FRAGMENT);
    return out.subarray(0, DATA_PDU_OVERHEAD_BYTES + commandBytes);
  }

  #text(element: number, value: string, padding: number): this {
    const text = value.length > MAX_TEXT_CHARACTERS ? value.slice(0, MAX_TEXT_CHARACTERS) : value;
    const length = text.length;
    const at = this.#header(element, length + (length & 1));
    this.#out.write(text, at, length, 'latin1');
    if (length & 1) this.#out[at + length] = padding;
    return this;
  }

  #header(element: number, valueBytes: number): number {
    const out = this.#out;
    const at = this.#at;
    out.writeUInt16LE(0, at);
    out.writeUInt16LE(element, at + 2);
    out.writeUInt32LE(valueBytes, at + 4);
    this.#at = at + 8 + valueBytes;
    return at + 8;
  }
}
