// Objects that are written from where they were gathered, without a copy: beside copied ones, in groups, over blocks of any number.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AlignedBuffers, decodeHead, recordBytes, type LandedRecord, type RecordHead } from '@perennia/storage';
import { SystemClock } from '@perennia/telemetry';
import { allRecords } from '@perennia/testing';
import { FileLanding } from './file-landing.js';
import { LandingFileReader } from './landing-file-reader.js';

const BLOCK_BYTES = 128 * 1024;
const SEGMENT_BYTES = 8 * 1024 * 1024;
const direct = AlignedBuffers.forFolder(tmpdir(), 1).direct;
if (!direct) process.stdout.write('SKIPPED: the file system of the temporary folder does not take O_DIRECT\n');

let directory: string;
let landing: FileLanding;
let memory: Buffer;
let taken: number;

const open = (folder: string): Promise<FileLanding> =>
  FileLanding.open({ directory: folder, owner: 'test', clock: new SystemClock(), segmentBytes: SEGMENT_BYTES, segments: 8, maxSegments: 16, reserveBytes: 0 });

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'in-place-'));
  landing = await open(join(directory, 'area'));
  memory = landing.memory(64 * BLOCK_BYTES).fill(0xee);
  taken = 0;
});
afterEach(async () => {
  await landing.close();
  rmSync(directory, { recursive: true });
});

function bytesOf(sizeBytes: number, salt: number): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  for (let at = 0; at < sizeBytes; at++) bytes[at] = at * 31 + (at >> 8) * 7 + salt;
  return bytes;
}

/** Puts an object into blocks, the first of which begins with the headroom. */
function gathered(bytes: Buffer): { parts: Buffer[]; headroom: Buffer } {
  const parts: Buffer[] = [];
  let headroom: Buffer | undefined;
  for (let at = 0; at < bytes.length;) {
    const block = memory.subarray(taken, (taken += BLOCK_BYTES));
    const room = headroom ? 0 : landing.headroomBytes;
    headroom ??= block.subarray(0, room);
    const copied = bytes.copy(block, room, at);
    parts.push(block.subarray(room, room + copied));
    at += copied;
  }
  return { parts, headroom: headroom! };
}

/** Heads of all records of a segment, in the order of the file, and what stands between them. */
function walk(file: string): { offset: number; head: RecordHead; padding: Buffer }[] {
  const bytes = readFileSync(file);
  const found = [];
  for (let offset = 0, head = decodeHead(bytes, 0); head; offset += head.nextBytes, head = decodeHead(bytes, offset)) {
    const end = offset + recordBytes(head.objectBytes, head.receiptBytes);
    found.push({ offset, head, padding: bytes.subarray(end, offset + head.nextBytes) });
  }
  return found;
}

(direct ? describe : describe.skip)('objects written from where they were gathered', () => {
  const SIZES = [70_000, 300, 131_008, 131_009, 65_536, 65_535, 524_288, 1, 262_080, 999_999, 4_000, 262_081, 130_000, 66_000, 20, 20, 800_001];

  it.each([['one after the other', 1], ['many at a time', 20]])('%s they are found as they were, now and after a crash, and nothing else of the memory gets to the disk', async (_how, atATime) => {
    const landed: { bytes: Buffer; record: LandedRecord }[] = [];
    const objects = SIZES.map((size, salt) => bytesOf(size, salt));
    for (let at = 0; at < objects.length; at += atATime) {
      landed.push(...(await Promise.all(objects.slice(at, at + atATime).map(async (bytes, n) => {
        const { parts, headroom } = gathered(bytes);
        return { bytes, record: await landing.append(JSON.stringify({ n: at + n }), parts, headroom) };
      }))));
    }
    memory.fill(0xdd);
    const expectAll = async (area: FileLanding, folder: string): Promise<void> => {
      expect(await allRecords(area)).toEqual(landed.map(({ record }) => record));
      const reader = new LandingFileReader(folder);
      for (const { bytes, record } of landed) expect((await reader.read(record.place, 0, bytes.length)).equals(bytes)).toBe(true);
      reader.close();
    };
    await expectAll(landing, join(directory, 'area'));
    cpSync(join(directory, 'area'), join(directory, 'copy'), { recursive: true });
    for (const name of readdirSync(join(directory, 'copy', 'test'))) if (name.startsWith('owner.')) rmSync(join(directory, 'copy', 'test', name));
    const again = await open(join(directory, 'copy'));
    await expectAll(again, join(directory, 'copy'));
    await again.close();

    const records = walk(join(directory, 'area', landed[0]!.record.place.key.split('@')[0]!));
    expect(records).toHaveLength(SIZES.length);
    for (const { offset, head, padding } of records) {
      if (head.objectBytes >= 65_536) expect(offset % 4096).toBe(0);
      expect(padding.every((byte) => byte === 0)).toBe(true);
    }
  });

  it('an object without headroom, or in other memory, is copied', async () => {
    const bytes = bytesOf(200_000, 3);
    const { parts } = gathered(bytes);
    const records = await Promise.all([
      landing.append('{"n":1}', [Buffer.from('x')]),
      landing.append('{"n":2}', parts),
      landing.append('{"n":3}', [bytes], Buffer.alloc(landing.headroomBytes)),
      landing.append('{"n":4}', gathered(bytes).parts.map((part) => Buffer.from(part)), Buffer.alloc(landing.headroomBytes)),
    ]);
    const reader = new LandingFileReader(join(directory, 'area'));
    for (const { place } of records.slice(1)) expect((await reader.read(place, 0, bytes.length)).equals(bytes)).toBe(true);
    reader.close();
  });
});
