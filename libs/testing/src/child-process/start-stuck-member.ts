// A member of a consumer group in a process of its own, for the contract of the event log.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { StuckMember } from '../contracts/event-log.contract.js';
import { spawnSource } from './spawn-source.js';

/** @param source of a program that sends how many records it was given, and never finishes them */
export function startStuckMember(source: URL, args: readonly string[]): StuckMember {
  const child = spawnSource(fileURLToPath(source), args);
  return {
    holding: once(child, 'message').then(([count]) => count as number),
    kill: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
