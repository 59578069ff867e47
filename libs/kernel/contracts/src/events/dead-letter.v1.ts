// Emitted when a handler gave up on one record; the record itself is kept so that it can be replayed to that handler.
import { z } from 'zod';

export const deadLetterSchema = z.object({
  topic: z.string(),
  partition: z.number().int(),
  offset: z.number().int(),
  group: z.string(),
  errorCode: z.string(),
  /** Plain words, without patient data. */
  reason: z.string(),
  attempts: z.number().int(),
  /** The original record's value, unchanged. */
  original: z.string(),
});
export type DeadLetter = z.infer<typeof deadLetterSchema>;

export const DEAD_LETTER = 'vna.dead-letter.v1';
