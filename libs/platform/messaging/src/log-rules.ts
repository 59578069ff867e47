// What every adapter of the event log does alike.
import { MAX_RECORD_BYTES } from '@perennia/contracts';
import { InvalidInputError, LimitExceededError } from '@perennia/errors';
import type { NewLogRecord, Subscription } from './event-log.js';

/** @throws InvalidInputError for a partition that does not exist, LimitExceededError for a record above 256 KiB */
export function assertAppendable({ partition, value }: NewLogRecord, partitions: number): void {
  if (!Number.isInteger(partition) || partition < 0 || partition >= partitions) throw new InvalidInputError(`There is no partition ${partition}.`);
  if (value.length > MAX_RECORD_BYTES || Buffer.byteLength(value) > MAX_RECORD_BYTES) {
    throw new LimitExceededError(`A record of the log is larger than ${MAX_RECORD_BYTES} bytes.`, { remedy: 'Refer to an object range instead.' });
  }
}

/** Keeps a subscription among those that the log closes with itself, until its owner closes it. */
export function keptUntilClosed<Kept extends Subscription>(kept: Set<Kept>, subscription: Kept): Subscription {
  kept.add(subscription);
  return {
    close: async () => {
      await subscription.close();
      kept.delete(subscription);
    },
  };
}
