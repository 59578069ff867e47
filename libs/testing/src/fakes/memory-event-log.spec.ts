import { eventLogContract } from '../contracts/event-log.contract.js';
import { MemoryEventLog, MemoryLogStore } from './memory-event-log.js';

eventLogContract('MemoryEventLog', async () => {
  const store = new MemoryLogStore();
  return {
    open: async () => new MemoryEventLog(store),
    startStuckMember: async (topic, group) => {
      const log = new MemoryEventLog(store);
      let hold = (_count: number): void => {};
      const holding = new Promise<number>((resolve) => (hold = resolve));
      await log.subscribe({
        topic, group, maxRecords: 100,
        handle: (records) => {
          hold(records.length);
          return new Promise(() => {});
        },
      });
      return { holding, kill: async () => log.crash() };
    },
    close: async () => {},
  };
});
