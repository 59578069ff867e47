// Port: the write-ahead log of reception. A record is durable before its sender is answered.
import type { Place } from '@perennia/contracts';
import type { AppendBatch } from './append-batch.js';

/** Where a record stands in the order of one landing area. `generation` rises with each (re)use of a segment. */
export interface LandingPosition {
  generation: number;
  /** Offset in bytes of the record's head within its segment. */
  offset: number;
}

/** A durable record: its receipt (JSON text in UTF-8, without `place`), its position and where its object stands. */
export interface LandedRecord {
  position: LandingPosition;
  receipt: Buffer;
  place: Place;
}

/** One object too large to gather, streamed into a segment of its own. */
export interface LandingStream {
  /**
   * Await it: this is the back-pressure. The bytes of a chunk of up to 256 KiB are taken before this returns; a larger one must not
   * change until the promise settles.
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Writes receipt and footer, makes all durable. */
  commit(receipt: string): Promise<LandedRecord>;
  /** Gives the space back; nothing of the object stays visible. */
  abort(): Promise<void>;
}

/**
 * A segment that has been written to its end (or closed by recovery), or the file of one streamed object. Nothing changes after sealing.
 * The record of a streamed object has its position in the log, in another segment than `place.key` names: count objects by key.
 */
export interface SealedSegment {
  generation: number;
  /** Equal to `place.key` of the objects in it. */
  key: string;
  /** Objects whose place is in it. */
  records: number;
  bytes: number;
  /** Whoever has published up to here has published all receipts of it. */
  lastRecord: LandingPosition;
}

export interface LandingState {
  freeSegments: number;
  totalSegments: number;
  /** Bytes in segments not yet released. */
  heldBytes: number;
}

export abstract class Landing {
  /** Bytes that whoever gathers an object leaves free directly before it, for `append`. */
  readonly headroomBytes: number = 0;

  /** How many received bytes are worth holding for it: one that holds memory of its own wants less than the configuration allows. */
  readonly mostBytesInFlight: number = Number.POSITIVE_INFINITY;

  /** Memory to gather objects in. What begins on a multiple of 4 KiB in it may be written from where it stands, without a copy. */
  memory(sizeBytes: number): Buffer {
    return Buffer.allocUnsafeSlow(sizeBytes);
  }

  /**
   * Appends one record; resolves when it and every record before it are durable.
   * @param parts the Part 10 object as consecutive buffers; they must not change until the promise settles
   * @param headroom the `headroomBytes` directly before the first part, in the same memory; they are written to
   * @param batch of a sender who is answered for several objects at once
   * @throws StoreFullError at once when no segment is free or the disk is full (nothing was acknowledged, nothing stays)
   */
  abstract append(receipt: string, parts: readonly Uint8Array[], headroom?: Buffer, batch?: AppendBatch): Promise<LandedRecord>;
  /** @param expectedBytes a hint; @throws StoreFullError as `append` */
  abstract openStream(expectedBytes?: number): Promise<LandingStream>;
  /** Durable records after `after` (null: from the oldest held segment on) in order, at most `limit`; [] when there is none yet. */
  abstract recordsAfter(after: LandingPosition | null, limit: number): Promise<LandedRecord[]>;
  /** Resolves when there may be durable records after the last call, or `signal` aborts. */
  abstract whenDurable(signal: AbortSignal): Promise<void>;
  /** Segments of this area that are sealed and not yet released, oldest first. */
  abstract sealedSegments(): SealedSegment[];
  /** Seals the current segment early if it holds anything (idle installations, shutdown of a test, full landing area). */
  abstract seal(): Promise<void>;
  /** Gives a sealed segment back for re-use. The caller answers for K16: every record of it verified elsewhere or disposed of. */
  abstract release(generation: number): Promise<void>;
  abstract state(): LandingState;
  abstract close(): Promise<void>;
}
