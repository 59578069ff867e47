import { beforeEach, describe, expect, it } from '@jest/globals';
import { CorruptDataError, IllegalStateError } from '@perennia/errors';
import { MemoryObjectStore, part10, receipt } from '@perennia/testing';
import { workKey } from './object-key.js';
import { PACK_FOOTER_BYTES, PACK_SPLIT_BYTES, packedReceipt } from './pack-format.js';
import { PackWriter } from './pack-writer.js';
import { readPackIndex } from './read-pack-index.js';

describe('A pack writer', () => {
  const key = workKey('pack');
  let store: MemoryObjectStore;
  let pack: PackWriter;

  beforeEach(async () => {
    store = new MemoryObjectStore();
    pack = new PackWriter(await store.create(key));
  });

  it('takes streams and buffers, and knows its size', async () => {
    const [first, second] = [part10({ pixelBytes: 3000 }), part10({ pixelBytes: 5000 })];
    const receipts = [receipt({}, first), receipt({}, second)];
    await pack.add(packedReceipt(receipts[0]!), [first.bytes]);
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < second.bytes.length; at += 100) yield second.bytes.subarray(at, at + 100);
    }
    await pack.add(packedReceipt(receipts[1]!), chunks());
    const sizeBytes = pack.sizeBytes;
    const { info, entries } = await pack.commit();
    expect(info.sizeBytes).toBe(sizeBytes);
    expect(await readPackIndex(store, key)).toEqual(entries.map((entry, at) => ({ ...entry, receipt: receipts[at] })));
    expect(entries[1]).toMatchObject({ offset: first.bytes.length, length: second.bytes.length, encryption: 'none' });
    await expect(pack.commit()).rejects.toBeInstanceOf(IllegalStateError);
  });

  it('keeps of a receipt what is of use for ever, not the trace of its way', async () => {
    const object = part10();
    const kept = receipt({}, object);
    await pack.add(packedReceipt({ ...kept, traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }), [object.bytes]);
    await pack.commit();
    expect((await readPackIndex(store, key)).map((entry) => entry.receipt)).toStrictEqual([kept]);
  });

  it('refuses an object of another length before it writes anything, and goes on', async () => {
    const object = part10();
    await expect(pack.add(packedReceipt(receipt({}, object)), [object.bytes.subarray(1)])).rejects.toBeInstanceOf(CorruptDataError);
    await pack.add(packedReceipt(receipt({}, object)), [object.bytes]);
    expect((await pack.commit()).entries).toHaveLength(1);
  });

  it('can only be aborted after a stream that ended early', async () => {
    const object = part10();
    async function* short(): AsyncGenerator<Uint8Array> {
      yield object.bytes.subarray(0, 10);
    }
    await expect(pack.add(packedReceipt(receipt({}, object)), short())).rejects.toBeInstanceOf(CorruptDataError);
    await expect(pack.add(packedReceipt(receipt({}, object)), [object.bytes])).rejects.toBeInstanceOf(IllegalStateError);
    await expect(pack.commit()).rejects.toBeInstanceOf(IllegalStateError);
    await pack.abort();
    expect(await store.head(key)).toBeNull();
  });

  it('says when to begin another pack', async () => {
    expect(pack.splitsBefore(2 * PACK_SPLIT_BYTES)).toBe(false);
    const object = part10();
    await pack.add(packedReceipt(receipt({}, object)), [object.bytes]);
    expect(pack.full).toBe(false);
    expect(pack.splitsBefore(PACK_SPLIT_BYTES - pack.sizeBytes)).toBe(false);
    expect(pack.splitsBefore(PACK_SPLIT_BYTES)).toBe(true);
  });

  it('leaves an index whose every damaged byte is found', async () => {
    const object = part10();
    await pack.add(packedReceipt(receipt({}, object)), [object.bytes]);
    const { info } = await pack.commit();
    const bytes = await store.read(key, 0, info.sizeBytes);
    for (let at = object.bytes.length; at < bytes.length; at += at > info.sizeBytes - PACK_FOOTER_BYTES ? 1 : 37) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1;
      const copy = workKey('damaged', String(at));
      const writer = await store.create(copy);
      await writer.write(damaged);
      await writer.commit();
      await expect(readPackIndex(store, copy)).rejects.toBeInstanceOf(CorruptDataError);
    }
  });
});
