// The one ranged reader: every read of received bytes goes through it, whatever tier they are on.
import type { Readable } from 'node:stream';
import type { Place } from '@perennia/contracts';
import { NotFoundError } from '@perennia/errors';

/**
 * Reads `length` bytes at `offset` within the object at `place` (offset 0 = first byte of the Part 10 object).
 * @throws PlaceMovedError when a landing segment was recycled meanwhile: look up the copy again and go on
 */
export abstract class PlaceReader {
  /** @param into memory that may be read into, see ReadOptions */
  abstract read(place: Place, offset: number, length: number, into?: Buffer): Promise<Buffer>;
  /** Streams the range; a PlaceMovedError may come at any point of the stream, before wrong bytes are given out. */
  abstract readStream(place: Place, offset: number, length: number): Readable;
  /** For who is done with a chunk before asking for the next: its memory may be used again then. @throws as `readStream` */
  chunks(place: Place, offset: number, length: number): AsyncIterable<Buffer> {
    return this.readStream(place, offset, length);
  }
  /**
   * The receipt that landed with the object, as JSON text: what was too large for the log is asked for here.
   * @throws NotFoundError outside the landing area; PlaceMovedError as `read`
   */
  receipt(_place: Place): Promise<string> {
    return Promise.reject(new NotFoundError('Receipts stand beside their objects in the landing area only.'));
  }
}
