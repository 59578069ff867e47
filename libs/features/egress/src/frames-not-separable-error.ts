// Frames that cannot be given, although the instance can.
import { ArchiveError } from '@perennia/errors';

/** The fragments of this object cannot be matched to its frames without decoding them, or it has no frames at all. */
export class FramesNotSeparableError extends ArchiveError {
  readonly code = 'FRAMES_NOT_SEPARABLE';
}
