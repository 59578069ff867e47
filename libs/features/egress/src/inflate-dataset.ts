// The whole dataset of a deflated object (PS3.5 §A.5): there are no ranges into it, so it is held in memory, up to a limit.
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { CorruptDataError, LimitExceededError } from '@perennia/errors';
import type { ReadInstance } from './read-instance.js';
import type { StoredInstance } from './stored-instance.js';

const inflate = promisify(inflateRaw);
export const MAX_INFLATED_BYTES = 256 * 1024 * 1024;

export async function inflateDataset(readInstance: ReadInstance, instance: StoredInstance): Promise<Buffer> {
  const { datasetOffset, objectLength } = instance;
  const deflatedBytes = objectLength - datasetOffset;
  if (deflatedBytes > MAX_INFLATED_BYTES) throw tooLarge();
  const deflated = await readInstance.read(instance, datasetOffset, deflatedBytes);
  try {
    // PS3.5 §A.5: a padding byte may follow the stream; zlib ignores what comes after its end.
    return await inflate(deflated, { maxOutputLength: MAX_INFLATED_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new CorruptDataError('The deflated dataset cannot be inflated.', { cause: error });
  }
}

function tooLarge(): LimitExceededError {
  return new LimitExceededError(`The dataset inflates to more than ${MAX_INFLATED_BYTES} bytes`, { remedy: 'Retrieve the whole instance; it is sent as it is stored.' });
}
