// How the frames of an instance are found without reading the instance. All offsets count from the first byte of the
// Part 10 object (preamble included), so that a frame is one range read relative to its place.
import { z } from 'zod';

export const frameIndexSchema = z.discriminatedUnion('kind', [
  /** No pixel data, or pixel data by URL. */
  z.object({ kind: z.literal('none') }),
  /** Native pixel data: frame n begins at offset + n * frameLengthBits / 8 (n from 0). */
  z.object({ kind: z.literal('native'), frames: z.number().int(), offset: z.number().int(), length: z.number().int(), frameLengthBits: z.number().int() }),
  /**
   * Encapsulated: per frame the contiguous range from the item header of its first fragment to the end of its last
   * fragment; the reader strips the 8-byte item headers inside. `ranges` is base64 of unsigned LEB128 pairs
   * (gap to the end of the previous range — the first counts from `offset` —, length in bytes).
   */
  z.object({ kind: z.literal('encapsulated'), frames: z.number().int(), offset: z.number().int(), source: z.enum(['single', 'one-to-one', 'basic', 'extended', 'marker']), ranges: z.string() }),
  /** As `encapsulated`, but too large for the log: the receipt's full text stands in the landing record. */
  z.object({ kind: z.literal('reference'), frames: z.number().int() }),
  /** Fragments and frames cannot be matched without decoding: read the pixel data sequentially from `offset`. */
  z.object({ kind: z.literal('ambiguous'), frames: z.number().int(), offset: z.number().int() }),
  /** Deflated dataset: no ranges into it. */
  z.object({ kind: z.literal('sequential'), frames: z.number().int() }),
]);
export type FrameIndex = z.infer<typeof frameIndexSchema>;
