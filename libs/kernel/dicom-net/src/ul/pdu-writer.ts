// Builds the small PDUs whole, each in one buffer (PS3.8 §9.3.4 to §9.3.8). Associate PDUs are in associate-pdu.ts.
import type { AssociationAbort } from './abort-reason.js';
import { LAST_FRAGMENT, PDU_HEADER_BYTES, PduType } from './pdu.js';
import type { AssociationRejection } from './reject-reason.js';

export function encodePdu(type: number, body: Buffer): Buffer {
  const out = Buffer.allocUnsafe(PDU_HEADER_BYTES + body.length);
  out[0] = type;
  out[1] = 0;
  out.writeUInt32BE(body.length, 2);
  body.copy(out, PDU_HEADER_BYTES);
  return out;
}

export function encodeReject(rejection: AssociationRejection): Buffer {
  return encodePdu(PduType.associateRj, Buffer.from([0, rejection.result, rejection.source, rejection.reason]));
}

export function encodeReleaseRq(): Buffer {
  return encodePdu(PduType.releaseRq, Buffer.alloc(4));
}

export function encodeReleaseRp(): Buffer {
  return encodePdu(PduType.releaseRp, Buffer.alloc(4));
}

export function encodeAbort(abort: AssociationAbort): Buffer {
  return encodePdu(PduType.abort, Buffer.from([0, 0, abort.source, abort.reason]));
}

/** Bytes before the payload of a P-DATA-TF that carries one presentation data value. */
export const DATA_PDU_OVERHEAD_BYTES = 12;

/** Writes PDU header and PDV header for `payloadBytes` at `at`. */
export function writeDataHeader(out: Buffer, at: number, payloadBytes: number, contextId: number, controlHeader: number): void {
  out[at] = PduType.pDataTf;
  out[at + 1] = 0;
  out.writeUInt32BE(payloadBytes + 6, at + 2);
  out.writeUInt32BE(payloadBytes + 2, at + 6);
  out[at + 10] = contextId;
  out[at + 11] = controlHeader;
}

/** Largest even payload of one presentation data value in a PDU of at most `maxPduBytes` (fragments are even, PS3.8 Annex E.2). */
export function maxPayloadBytes(maxPduBytes: number): number {
  return (maxPduBytes - 6) & ~1;
}

/** A whole command or dataset as P-DATA-TF PDUs in one buffer; `kind` is COMMAND_FRAGMENT, or 0 for a dataset. Without bytes: one empty last fragment. */
export function encodeDataPdus(payload: Buffer, contextId: number, maxPduBytes: number, kind: number): Buffer {
  const room = maxPayloadBytes(maxPduBytes);
  const pdus = Math.max(1, Math.ceil(payload.length / room));
  const out = Buffer.allocUnsafe(payload.length + pdus * DATA_PDU_OVERHEAD_BYTES);
  let to = 0;
  for (let from = 0, left = pdus; left > 0; left--, from += room) {
    const bytes = Math.min(room, payload.length - from);
    writeDataHeader(out, to, bytes, contextId, kind | (left === 1 ? LAST_FRAGMENT : 0));
    payload.copy(out, to + DATA_PDU_OVERHEAD_BYTES, from, from + bytes);
    to += DATA_PDU_OVERHEAD_BYTES + bytes;
  }
  return out;
}
