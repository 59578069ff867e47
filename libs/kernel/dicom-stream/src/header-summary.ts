// What one pass over a dataset finds out; the content of a receipt.
import { type FrameIndex, type Receipt, type SearchAttributes } from '@perennia/contracts';

export interface HeaderSummary {
  /** UIDs as they stand in the dataset, unchecked; '' where absent. */
  sopClassUid: string;
  sopInstanceUid: string;
  studyInstanceUid: string;
  seriesInstanceUid: string;
  /** 0 where there is no pixel data; 1 where Number of Frames is absent or not a number. */
  numberOfFrames: number;
  /**
   * Bytes from the start of the Part 10 object to the tag of (Float/Double) Pixel Data; to its end where there is none, and
   * where the dataset is deflated.
   */
  headerLength: number;
  frameIndex: FrameIndex;
  attributes: Receipt['attributes'];
  search: SearchAttributes;
  /** `attributes` and `search` as JSON texts. */
  attributesText: string;
  searchText: string;
  /** Oddities that were read over, in fixed words without values. */
  warnings: string[];
}
