// Items and sub-items of the associate PDUs (PS3.8 §9.3.2 to §9.3.3, PS3.7 §D.3.3): bounds-checked reading, plain writing.

export const ItemType = {
  applicationContext: 0x10,
  presentationContextRq: 0x20,
  presentationContextAc: 0x21,
  abstractSyntax: 0x30,
  transferSyntax: 0x40,
  userInformation: 0x50,
  maxLength: 0x51,
  implementationClassUid: 0x52,
  asynchronousOperationsWindow: 0x53,
  roleSelection: 0x54,
  implementationVersion: 0x55,
  extendedNegotiation: 0x56,
  commonExtendedNegotiation: 0x57,
  userIdentityRq: 0x58,
  userIdentityAc: 0x59,
} as const;

/** Thrown when an associate PDU contradicts itself; becomes A-ABORT 2/6. */
export class MalformedPduError extends Error {
  override readonly name = 'MalformedPduError';
}

/** Walks type, reserved, two-byte length, value. The whole buffer must be used up. */
export function* readItems(bytes: Buffer): Generator<{ type: number; value: Buffer }> {
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw new MalformedPduError('item header cut short');
    const end = at + 4 + bytes.readUInt16BE(at + 2);
    if (end > bytes.length) throw new MalformedPduError('item longer than its container');
    yield { type: bytes[at] as number, value: bytes.subarray(at + 4, end) };
    at = end;
  }
}

/** Reads fields in sequence and refuses to read past the end. */
export class FieldReader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  get remaining(): number {
    return this.bytes.length - this.#at;
  }
  u8(): number {
    return this.take(1)[0] as number;
  }
  u16(): number {
    return this.take(2).readUInt16BE(0);
  }
  u32(): number {
    return this.take(4).readUInt32BE(0);
  }
  /** A field preceded by its two-byte length. */
  sized(): Buffer {
    return this.take(this.u16());
  }
  take(length: number): Buffer {
    if (length > this.remaining) throw new MalformedPduError('field longer than its item');
    return this.bytes.subarray(this.#at, (this.#at += length));
  }
}

/** AE titles and UIDs arrive padded with spaces or NUL, by habit or by mistake. */
export function trimmedText(bytes: Buffer): string {
  let start = 0;
  let end = bytes.length;
  while (end > start && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0)) end--;
  while (start < end && bytes[start] === 0x20) start++;
  return bytes.toString('latin1', start, end);
}

export function item(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const header = Buffer.from([type, 0, 0, 0]);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}

export function text(value: string): Buffer {
  return Buffer.from(value, 'latin1');
}

export function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

export function u32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
}

export function sized(bytes: Buffer): Buffer {
  return Buffer.concat([u16(bytes.length), bytes]);
}
