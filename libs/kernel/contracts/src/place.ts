// Where the bytes of an object are. Readers know only this, never whether they read a landing segment or a pack.
import { z } from 'zod';

export const placeSchema = z.object({
  /** `landing`, or the name of a storage tier (`hot` …). */
  tier: z.string(),
  /** Object key within the tier. Landing: `<owner>/<segment file>@<generation>`. */
  key: z.string(),
  /** First byte of the Part 10 object inside the object named by `key`. */
  offset: z.number().int().nonnegative(),
  /** Length of the Part 10 object in bytes. */
  length: z.number().int().nonnegative(),
});
export type Place = z.infer<typeof placeSchema>;
export const LANDING_TIER = 'landing';
/** The tier into which studies are filed first. */
export const HOT_TIER = 'hot';
