import { describe, expect, it } from '@jest/globals';
import { LoneSender } from './lone-sender.js';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
const alone = (sender: LoneSender): void => {
  for (let n = 0; n < 4; n++) sender.begins(1, false);
};

describe('LoneSender', () => {
  it('given single records one after the other, then it is alone', () => {
    const sender = new LoneSender(1);
    for (let n = 0; n < 3; n++) sender.begins(1, false);
    expect(sender.isAlone).toBe(false);
    sender.begins(1, false);
    expect(sender.isAlone).toBe(true);
  });

  it.each([['two in one group', 2, false], ['one while another is under way', 1, true]] as const)('given %s, then it is not alone any more', (_, records, isBusy) => {
    const sender = new LoneSender(1);
    alone(sender);
    sender.begins(records, isBusy);
    expect(sender.isAlone).toBe(false);
  });

  it('given a second record in the turn of the first, then it is not alone; given it in a later turn, then it is', async () => {
    const sender = new LoneSender(1);
    alone(sender);
    sender.ended(0.1);
    await nextTurn();
    sender.begins(1, false);
    expect(sender.isAlone).toBe(true);
    sender.ended(0.1);
    sender.begins(1, false);
    expect(sender.isAlone).toBe(false);
  });

  it('given a slow device, then the calling thread is not held up again for a while', async () => {
    const sender = new LoneSender(1);
    alone(sender);
    sender.ended(1.5);
    await nextTurn();
    for (let n = 0; n < 16; n++) sender.begins(1, false);
    expect(sender.isAlone).toBe(false);
    alone(sender);
    expect(sender.isAlone).toBe(true);
  });

  it('given no limit, then it never is alone', () => {
    const sender = new LoneSender(0);
    alone(sender);
    expect(sender.isAlone).toBe(false);
  });
});
