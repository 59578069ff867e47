// Processes of one machine take turns: an abstract socket is free again as soon as its holder has ended, however it ended.
import { createServer } from 'node:net';

const LOOK_AGAIN_MS = 20;

export async function inTurn<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  for (;;) {
    const turn = createServer();
    const taken = await new Promise<boolean>((resolve) => turn.once('error', () => resolve(false)).listen(`\0${name}`, () => resolve(true)));
    if (!taken) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      continue;
    }
    try {
      return await work();
    } finally {
      await new Promise((resolve) => turn.close(resolve));
    }
  }
}
