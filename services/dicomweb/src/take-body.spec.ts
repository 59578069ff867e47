import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { SystemClock } from '@perennia/telemetry';
import { RequestRefusedError } from './request-refused-error.js';
import { takeBody } from './take-body.js';

const PATIENCE = { bodyIdleTimeout: 5000, bodyStartTimeout: 900 };
const clock = new SystemClock();
const bodyOf = (headers: Record<string, string> = {}): PassThrough & IncomingMessage => Object.assign(new PassThrough(), { headers }) as unknown as PassThrough & IncomingMessage;

describe('takeBody', () => {
  it('gives every chunk and resolves at the end', async () => {
    const body = bodyOf();
    const seen: string[] = [];
    const taken = takeBody(body, PATIENCE, clock, (chunk) => void seen.push(chunk.toString()));
    for (const text of ['a', 'b', 'c']) {
      body.write(text);
      await sleep(1);
    }
    body.end();
    await taken;
    expect(seen.join('')).toBe('abc');
  });

  it('gives nothing while a chunk is being taken, and is not done before the last one is', async () => {
    const body = bodyOf();
    const events: string[] = [];
    const taken = takeBody(body, PATIENCE, clock, async (chunk) => {
      events.push(`begin ${chunk.toString()}`);
      await sleep(10);
      events.push(`end ${chunk.toString()}`);
    });
    body.write('a');
    body.write('b');
    body.end('c');
    await taken;
    expect(events).toEqual(['begin a', 'end a', 'begin b', 'end b', 'begin c', 'end c']);
  });

  it.each<[string, () => void | Promise<void>]>([
    ['thrown', () => { throw new Error('no more'); }],
    ['rejected', () => Promise.reject(new Error('no more'))],
  ])('stops at an error that is %s', async (_how, take) => {
    const body = bodyOf();
    let calls = 0;
    const taken = takeBody(body, PATIENCE, clock, () => (calls++, take()));
    body.write('a');
    body.write('b');
    await expect(taken).rejects.toThrow('no more');
    await sleep(5);
    expect(calls).toBe(1);
  });

  it('refuses a sender that falls silent, but not for the time in which nothing is taken', async () => {
    const patience = { ...PATIENCE, bodyIdleTimeout: 50 };
    const slowTaker = bodyOf();
    const slow = takeBody(slowTaker, patience, clock, () => sleep(120));
    slowTaker.end('a');
    await slow;
    const silent = bodyOf();
    const refused = takeBody(silent, patience, clock, () => undefined);
    silent.write('a');
    await expect(refused).rejects.toBeInstanceOf(RequestRefusedError);
  });

  it('has less patience at the beginning of what is announced as huge', async () => {
    const body = bodyOf({ 'content-length': String(4 * 1024 ** 3) });
    const beganMs = performance.now();
    await expect(takeBody(body, { ...PATIENCE, bodyStartTimeout: 40 }, clock, () => undefined)).rejects.toThrow('nothing for 40 ms');
    expect(performance.now() - beganMs).toBeLessThan(4000);
  });

  it('tells when the sender closes the connection', async () => {
    const body = bodyOf();
    const taken = takeBody(body, PATIENCE, clock, () => undefined);
    body.write('a');
    await sleep(1);
    body.destroy();
    await expect(taken).rejects.toThrow('closed the connection');
  });
});
