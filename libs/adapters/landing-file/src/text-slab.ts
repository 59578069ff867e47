// Where the texts of receipts stand until they are published: one after the other in large pieces of memory outside the heap, so that
// the collector has nothing to copy and to mark of them. A piece is let go with the last of its texts. (With strings a
// third of reception's processor time went into collecting, on two threads.)

const PIECE_BYTES = 256 * 1024;
/** A longer text gets memory of its own. */
const MAX_SHARED_CHARACTERS = 16 * 1024;
/** Of UTF-8, for one unit of UTF-16. */
const MAX_BYTES_A_CHARACTER = 3;

export class TextSlab {
  private piece = Buffer.alloc(0);
  private used = 0;

  /** The text in UTF-8; it does not change any more. */
  put(text: string): Buffer {
    if (text.length > MAX_SHARED_CHARACTERS) return Buffer.from(text);
    if (this.piece.length - this.used < text.length * MAX_BYTES_A_CHARACTER) {
      this.piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
      this.used = 0;
    }
    const begin = this.used;
    this.used += this.piece.write(text, begin);
    return this.piece.subarray(begin, this.used);
  }
}
