import { describe, expect, it } from '@jest/globals';
import { AppendBatch } from '@perennia/storage';
import { GroupPatience } from './group-patience.js';

const one = (batch?: AppendBatch): { bytes: number; batch: AppendBatch | undefined } => ({ bytes: 10_000, batch });

const several = (count: number, batch?: AppendBatch): ReturnType<typeof one>[] => Array.from({ length: count }, () => one(batch));

/** Whether the group is taken without waiting for anything but what was promised already. */
async function isTakenAtOnce(patience: GroupPatience, waiting: ReturnType<typeof one>[]): Promise<boolean> {
  let isTaken = false;
  void patience.forMore(waiting, () => 0).then(() => (isTaken = true));
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  return isTaken;
}

describe('How long a group waits for more', () => {
  it('given a lone sender, then it never waits', async () => {
    const patience = new GroupPatience();
    expect(await isTakenAtOnce(patience, [one()])).toBe(true);
    patience.learn([one()], [], 30);
    expect(await isTakenAtOnce(patience, [one()])).toBe(true);
    const [large, small] = [new AppendBatch(), new AppendBatch()];
    for (const batch of [large, small]) batch.pause();
    patience.learn(several(50, large), [], 30);
    expect(await isTakenAtOnce(patience, several(10, small))).toBe(true);
  });

  it('given eight senders in the last round, then the group waits until eight are there', async () => {
    const patience = new GroupPatience();
    patience.learn(several(5), several(3), 30);
    const waiting = several(7);
    const taken = patience.forMore(waiting, () => 0);
    expect(await isTakenAtOnce(patience, waiting)).toBe(false);
    waiting.push(one());
    patience.arrived();
    await taken;
  });

  it('given eight senders of whom some went away, then it takes what is there after at most as long as the last PUT took', async () => {
    const patience = new GroupPatience();
    patience.learn(several(8), [], 30);
    let nowMs = 0;
    await patience.forMore([one(), one()], () => (nowMs += 3));
    expect(nowMs).toBeLessThanOrEqual(33);
  });

  it('given a body under way, then its objects wait for its end, and not for a sender who is answered for each', async () => {
    const patience = new GroupPatience();
    const batch = new AppendBatch();
    expect(await isTakenAtOnce(patience, [one(batch)])).toBe(false);
    const taken = patience.forMore([one(batch)], () => 0);
    batch.pause();
    await taken;
    expect(await isTakenAtOnce(new GroupPatience(), [one(new AppendBatch()), one()])).toBe(true);
  });

  it('given a body that ended beside one under way, then it waits for that one for a moment only', async () => {
    const ended = new AppendBatch();
    ended.pause();
    let nowMs = 0;
    await new GroupPatience().forMore([one(ended), one(new AppendBatch())], () => (nowMs += 5));
    expect(nowMs).toBeLessThanOrEqual(70);
  });

  it('given much of bodies under way, then it waits no longer', async () => {
    const batch = new AppendBatch();
    expect(await isTakenAtOnce(new GroupPatience(), Array.from({ length: 256 }, () => one(batch)))).toBe(true);
    expect(await isTakenAtOnce(new GroupPatience(), [{ bytes: 1024 * 1024, batch }])).toBe(true);
  });
});
