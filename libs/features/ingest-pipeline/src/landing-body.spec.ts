import { describe, expect, it } from '@jest/globals';
import type { LandedRecord, Landing } from '@perennia/storage';
import { BlockPool, LARGE_BLOCK_BYTES, SMALL_BLOCK_BYTES } from './block-pool.js';
import { ByteBudget } from './byte-budget.js';
import { LandingBody } from './landing-body.js';

/** Keeps what was appended or streamed, by receipt. */
class RememberingLanding {
  readonly headroomBytes = 64;
  readonly objects = new Map<string, Buffer>();
  streams = 0;

  append(receipt: string, parts: readonly Uint8Array[], headroom?: Buffer): Promise<LandedRecord> {
    if (headroom) {
      expect({ length: headroom.length, memory: headroom.buffer, end: headroom.byteOffset + headroom.length }).toEqual({ length: 64, memory: parts[0]!.buffer, end: parts[0]!.byteOffset });
      headroom.fill(0xcc);
    }
    this.objects.set(receipt, Buffer.concat(parts));
    return Promise.resolve({} as LandedRecord);
  }
  openStream() {
    this.streams += 1;
    const chunks: Buffer[] = [];
    return Promise.resolve({
      write: (chunk: Uint8Array) => Promise.resolve(void chunks.push(Buffer.from(chunk))),
      commit: (receipt: string) => this.append(receipt, chunks),
      abort: () => Promise.resolve(),
    });
  }
}

function bodyOver(landing: RememberingLanding, budget: ByteBudget): LandingBody {
  return new LandingBody(landing as unknown as Landing, new BlockPool(budget));
}

/** Every chunk in the same memory, as a connection gives them. */
async function send(body: LandingBody, bytes: Buffer, chunkBytes: number): Promise<void> {
  const memory = Buffer.alloc(chunkBytes);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const length = bytes.copy(memory, 0, at, at + chunkBytes);
    const wait = body.write(memory.subarray(0, length));
    memory.fill(0xee);
    await wait;
  }
}
function bytesOf(sizeBytes: number, salt: number): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  for (let at = 0; at < sizeBytes; at++) bytes[at] = at * 31 + (at >> 8) * 7 + salt;
  return bytes;
}

describe('LandingBody', () => {
  it.each([1, SMALL_BLOCK_BYTES - 65, SMALL_BLOCK_BYTES - 64, SMALL_BLOCK_BYTES - 63, SMALL_BLOCK_BYTES, SMALL_BLOCK_BYTES + 1, SMALL_BLOCK_BYTES + LARGE_BLOCK_BYTES, 600_000])('given %d bytes in memory that is used again, then they land as they were', async (sizeBytes) => {
    const landing = new RememberingLanding();
    const budget = new ByteBudget(1 << 24);
    const body = bodyOver(landing, budget);
    await send(body, bytesOf(sizeBytes, 1), 10_007);
    await body.commit('one');
    expect(landing.objects.get('one')!.equals(bytesOf(sizeBytes, 1))).toBe(true);
    expect({ streams: landing.streams, heldBytes: budget.inFlightBytes }).toEqual({ streams: 0, heldBytes: 0 });
  });

  it('given more objects under way than memory has room for, then none waits for another: each goes to the disk and is whole', async () => {
    const landing = new RememberingLanding();
    const budget = new ByteBudget(2 * LARGE_BLOCK_BYTES);
    const numbers = Array.from({ length: 8 }, (_, number) => number);
    await Promise.all(numbers.map(async (number) => {
      const body = bodyOver(landing, budget);
      await send(body, bytesOf(900_000, number), 65_536);
      await body.commit(String(number));
    }));
    for (const number of numbers) expect(landing.objects.get(String(number))!.equals(bytesOf(900_000, number))).toBe(true);
    expect(landing.streams).toBeGreaterThan(0);
    expect(budget.inFlightBytes).toBe(0);
  });
});
