// Log records to receipts. The log is written by our own relays, so a record is parsed, not validated field by field (30 to 60
// microseconds each); what the database then refuses is found by bisection.
import type { Envelope, InstanceReceived } from '@perennia/contracts';
import { InvalidInputError } from '@perennia/errors';
import type { LogRecord } from '@perennia/messaging';

/** What JSON may spell and PostgreSQL cannot store: NUL, and halves of surrogate pairs. */
const UNSTORABLE = /\\u(?:0000|d[89a-f])/i;

/** @throws InvalidInputError when one is no receipt */
export function parseReceipts(records: readonly LogRecord[]): InstanceReceived[] {
  return records.map(({ value, offset, partition }) => {
    const receipt = parse(value)?.data;
    if (typeof receipt?.receiptId === 'string' && typeof receipt.place?.key === 'string' && typeof receipt.search === 'object') return receipt;
    throw new InvalidInputError('A record of the log is no receipt.', { details: { partition, offset } });
  });
}

function parse(value: string): Partial<Envelope<InstanceReceived>> | undefined {
  try {
    return JSON.parse(value, UNSTORABLE.test(value) ? storable : undefined) as Partial<Envelope<InstanceReceived>>;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function storable(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '').toWellFormed() : value;
}
