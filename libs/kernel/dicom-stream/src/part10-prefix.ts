// The beginning of every object this archive writes: preamble, `DICM` and File Meta Information (PS3.10 §7.1).

/** Names this software (PS3.7 §D.3.3.2); a UUID-derived UID (PS3.5 §B.2), since no root was ever bought. */
export const IMPLEMENTATION_CLASS_UID = '2.25.43483288880022484492507502498171109552';
/** At most 16 characters. */
export const IMPLEMENTATION_VERSION_NAME = 'PERENNIA_0_1';

export interface Part10PrefixFields {
  sopClassUid: string;
  sopInstanceUid: string;
  transferSyntaxUid: string;
  /** Application entity the object came from. */
  sourceAet?: string;
}

/** An element of group 0002 with a 16-bit length, as latin1 text: it is written for every object received, so it costs 2 µs. */
function element(number: number, vr: 'UI' | 'SH' | 'AE' | 'UL', value: string): string {
  const padded = value.length % 2 === 0 ? value : value + (vr === 'UI' ? '\0' : ' ');
  return `\x02\0${String.fromCharCode(number)}\0${vr}${String.fromCharCode(padded.length & 0xff, padded.length >> 8)}${padded}`;
}
const PREAMBLE_AND_PREFIX = `${'\0'.repeat(128)}DICM`;
/** OB has a 32-bit length: reserved, 2, then version 00 01. */
const VERSION = '\x02\0\x01\0OB\0\0\x02\0\0\0\0\x01';
const IMPLEMENTATION = element(0x12, 'UI', IMPLEMENTATION_CLASS_UID) + element(0x13, 'SH', IMPLEMENTATION_VERSION_NAME);

/** The bytes that stand before the dataset. */
export function part10Prefix(fields: Part10PrefixFields): Buffer {
  const body =
    VERSION +
    element(0x02, 'UI', fields.sopClassUid) +
    element(0x03, 'UI', fields.sopInstanceUid) +
    element(0x10, 'UI', fields.transferSyntaxUid) +
    IMPLEMENTATION +
    (fields.sourceAet ? element(0x16, 'AE', fields.sourceAet) : '');
  const groupLength = element(0x00, 'UL', String.fromCharCode(body.length & 0xff, body.length >> 8, 0, 0));
  return Buffer.from(PREAMBLE_AND_PREFIX + groupLength + body, 'latin1');
}
