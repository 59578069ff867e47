import { describe, expect, it } from '@jest/globals';
import { UnavailableError } from '@perennia/errors';
import { settle } from '@perennia/testing';
import { PartMemory } from './part-memory.js';

describe('PartMemory', () => {
  const owner = (): object => ({});
  async function isGranted(taken: Promise<Buffer>): Promise<boolean> {
    let granted = false;
    void taken.then(() => (granted = true));
    await settle();
    return granted;
  }

  it('given something that is being sent, then who finds no memory waits until some comes back, in order', async () => {
    const memory = new PartMemory(100, 100, 60_000);
    const first = await memory.take(100, owner());
    let sent = (): void => undefined;
    const sending = memory.whileSending(owner(), () => new Promise<void>((resolve) => (sent = resolve)));
    const [second, third] = [memory.take(60, owner()), memory.take(60, owner())];
    expect(await isGranted(second)).toBe(false);
    memory.give(first);
    expect([await isGranted(second), await isGranted(third)]).toEqual([true, false]);
    memory.give(await second);
    expect(await isGranted(third)).toBe(true);
    sent();
    await sending;
  });

  it('given nothing that is being sent, then one part may grow beyond the limit, and the next when that one is gone', async () => {
    const memory = new PartMemory(100, 100, 60_000);
    await memory.take(100, owner());
    const [borrower, other] = [owner(), owner()];
    const borrowed = await memory.take(40, borrower);
    const waiting = memory.take(40, other);
    expect(await isGranted(waiting)).toBe(false);
    await memory.take(80, borrower);
    memory.give(borrowed);
    expect(await isGranted(waiting)).toBe(false);
    memory.settle(borrower);
    expect(await isGranted(waiting)).toBe(true);
  });

  it('given a part whose sender pauses beyond the limit, then the next waits no longer than a second', async () => {
    const memory = new PartMemory(100, 100, 60_000);
    await memory.take(100, owner());
    await memory.take(40, owner());
    const startedMs = performance.now();
    await memory.take(40, owner());
    expect(performance.now() - startedMs).toBeLessThan(3000);
  });

  it('given nothing that comes back, then who waits is told so when a call would have ended, and the next are served', async () => {
    const memory = new PartMemory(100, 100, 50);
    const first = await memory.take(100, owner());
    let sent = (): void => undefined;
    const sending = memory.whileSending(owner(), () => new Promise<void>((resolve) => (sent = resolve)));
    await expect(memory.take(60, owner())).rejects.toMatchObject({ constructor: UnavailableError, retriable: true });
    const next = memory.take(60, owner());
    memory.give(first);
    expect((await next).length).toBe(60);
    sent();
    await sending;
  });
});
