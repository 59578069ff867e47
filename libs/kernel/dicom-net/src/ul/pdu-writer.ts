// Builds the small PDUs whole, each in one buffer (PS3.8 §9.3.4 to §9.3.8). Associate PDUs are in associate-pdu.ts.
import type { AssociationAbort } from './abort-reason.js';
import { PDU_HEADER_BYTES, PduType } from './pdu.js';
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
