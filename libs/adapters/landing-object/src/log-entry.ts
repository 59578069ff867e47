// What stands at the beginning of every object of the log: what it is, whose, and what its segment has up to here, so that a start reads one
// head for each segment. Fences and marks have no records; their sizes tell them apart in a listing.
import { crc32 } from 'node:zlib';
import { CorruptDataError } from '@perennia/errors';
import type { ObjectStore } from '@perennia/storage';
import type { LandingKeys } from './landing-keys.js';

/** `fence`: somebody has taken the area over; `mark`: its owner needed a number and had no records for it. */
export type EntryKind = 'group' | 'fence' | 'mark';

export interface EntryHead {
  kind: EntryKind;
  /** Counts the owners of the area; rises with each fence. */
  epoch: number;
  number: number;
  /** Of its segment. */
  firstNumber: number;
  objects: number;
  references: number;
  /** Of the groups before it in its segment. */
  objectsBefore: number;
  referencesBefore: number;
  /** Of the head of its last record, within this object. */
  lastAt: number;
}

export const ENTRY_BYTES = 64;
export const FENCE_BYTES = ENTRY_BYTES;
export const MARK_BYTES = 2 * ENTRY_BYTES;

const MAGIC = 0x47_4c_4e_50; // "PNLG"
const VERSION = 1;
const KINDS: readonly EntryKind[] = ['group', 'fence', 'mark'];

export function encodeEntry(head: EntryHead): Buffer {
  const bytes = Buffer.alloc(head.kind === 'mark' ? MARK_BYTES : ENTRY_BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt16LE(VERSION, 4);
  bytes.writeUInt16LE(KINDS.indexOf(head.kind) + 1, 6);
  bytes.writeBigUInt64LE(BigInt(head.epoch), 8);
  bytes.writeBigUInt64LE(BigInt(head.number), 16);
  bytes.writeBigUInt64LE(BigInt(head.firstNumber), 24);
  [head.objects, head.references, head.objectsBefore, head.referencesBefore, head.lastAt].forEach((value, at) => bytes.writeUInt32LE(value, 32 + 4 * at));
  bytes.writeUInt32LE(crc32(bytes.subarray(0, ENTRY_BYTES - 4)), ENTRY_BYTES - 4);
  return bytes;
}

/** @throws CorruptDataError */
export function decodeEntry(bytes: Buffer, key: string): EntryHead {
  const isOurs = bytes.length >= ENTRY_BYTES && bytes.readUInt32LE(0) === MAGIC && bytes.readUInt16LE(4) === VERSION;
  const isWhole = isOurs && crc32(bytes.subarray(0, ENTRY_BYTES - 4)) === bytes.readUInt32LE(ENTRY_BYTES - 4);
  const kind = isWhole ? KINDS[bytes.readUInt16LE(6) - 1] : undefined;
  if (!kind) throw new CorruptDataError('An object of the landing log is not as it was written.', { details: { key } });
  const [objects, references, objectsBefore, referencesBefore, lastAt] = [32, 36, 40, 44, 48].map((at) => bytes.readUInt32LE(at)) as [number, number, number, number, number];
  const [epoch, number, firstNumber] = [8, 16, 24].map((at) => Number(bytes.readBigUInt64LE(at))) as [number, number, number];
  return { kind, epoch, number, firstNumber, objects, references, objectsBefore, referencesBefore, lastAt };
}

/** @throws NotFoundError, CorruptDataError */
export async function readEntry(store: ObjectStore, keys: LandingKeys, number: number): Promise<EntryHead> {
  const key = keys.log(number);
  return decodeEntry(await store.read(key, 0, ENTRY_BYTES), key);
}
