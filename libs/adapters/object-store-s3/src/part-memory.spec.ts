import { describe, expect, it } from '@jest/globals';
import { UnavailableError } from '@perennia/errors';
import { settle } from '@perennia/testing';
import { PartMemory } from './part-memory.js';

const WAIT_MS = 60_000;

describe('PartMemory', () => {
  const owner = (): object => ({});
  async function isGranted(taken: Promise<Buffer>): Promise<boolean> {
    let granted = false;
    void taken.then(() => (granted = true));
    await settle();
    return granted;
  }

  it('given something that is being sent, then who finds no memory waits until some comes back, in order', async () => {
    const memory = new PartMemory(100, 100);
    const first = await memory.take(100, owner(), WAIT_MS);
    let sent = (): void => undefined;
    const sending = memory.whileSending(owner(), () => new Promise<void>((resolve) => (sent = resolve)));
    const [second, third] = [memory.take(60, owner(), WAIT_MS), memory.take(60, owner(), WAIT_MS)];
    expect(await isGranted(second)).toBe(false);
    memory.give(first);
    expect([await isGranted(second), await isGranted(third)]).toEqual([true, false]);
    memory.give(await second);
    expect(await isGranted(third)).toBe(true);
    sent();
    await sending;
  });

  it('given nothing that is being sent, then one part may grow beyond the limit, and the next when that one is gone', async () => {
    const memory = new PartMemory(100, 100);
    await memory.take(100, owner(), WAIT_MS);
    const [borrower, other] = [owner(), owner()];
    const borrowed = await memory.take(40, borrower, WAIT_MS);
    const waiting = memory.take(40, other, WAIT_MS);
    expect(await isGranted(waiting)).toBe(false);
    await memory.take(80, borrower, WAIT_MS);
    memory.give(borrowed);
    expect(await isGranted(waiting)).toBe(false);
    memory.settle(borrower);
    expect(await isGranted(waiting)).toBe(true);
  });

  it('given a part whose sender pauses beyond the limit, then the next waits no longer than a second', async () => {
    const memory = new PartMemory(100, 100);
    await memory.take(100, owner(), WAIT_MS);
    await memory.take(40, owner(), WAIT_MS);
    const startedMs = performance.now();
    await memory.take(40, owner(), WAIT_MS);
    expect(performance.now() - startedMs).toBeLessThan(3000);
  });

  it('given nothing that comes back, then who has waited long enough is told so, and the next are served', async () => {
    const memory = new PartMemory(100, 100);
    const first = await memory.take(100, owner(), WAIT_MS);
    let sent = (): void => undefined;
    const sending = memory.whileSending(owner(), () => new Promise<void>((resolve) => (sent = resolve)));
    await expect(memory.take(60, owner(), 50)).rejects.toMatchObject({ constructor: UnavailableError, retriable: true });
    const next = memory.take(60, owner(), WAIT_MS);
    memory.give(first);
    expect((await next).length).toBe(60);
    sent();
    await sending;
  });
});
