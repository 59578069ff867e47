// Emitted through the outbox of the imaging plane by whoever committed a change of a study's rows.
import { z } from 'zod';

export const studyChangeReasons = ['instances', 'overlay', 'identity', 'placement', 'settled', 'conflict', 'suspect', 'deleted'] as const;

export const studyChangedSchema = z.object({
  studyInstanceUid: z.string(),
  /** Rises with every change of the study; consumers ignore an older one than they know. */
  studyVersion: z.number().int(),
  reasons: z.array(z.enum(studyChangeReasons)).min(1),
  numberOfSeries: z.number().int(),
  numberOfInstances: z.number().int(),
});
export type StudyChanged = z.infer<typeof studyChangedSchema>;

export const STUDY_CHANGED = 'vna.study.changed.v1';
