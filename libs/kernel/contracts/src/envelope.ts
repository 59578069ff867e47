// What every record of the event log looks like (JSON).
import { z } from 'zod';

export const envelopeSchema = z.object({
  /** UUIDv7 of this event. */
  id: z.string(),
  type: z.string(),
  version: z.literal(1),
  tenantId: z.string(),
  key: z.string(),
  bucket: z.number().int().min(0).max(1023),
  occurredAt: z.string(),
  producer: z.string(),
  /** W3C Trace Context of the span that sent it, when its way is recorded. */
  traceparent: z.string().optional(),
});
export type Envelope<T> = z.infer<typeof envelopeSchema> & { data: T };

/** Largest record in bytes; whatever is larger travels as a reference to an object range. */
export const MAX_RECORD_BYTES = 256 * 1024;
