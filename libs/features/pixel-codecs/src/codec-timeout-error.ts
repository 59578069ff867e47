// The end of what never ends.
import { LimitExceededError } from '@perennia/errors';

/** A frame was not decoded or encoded within the time that one may take. */
export class CodecTimeoutError extends LimitExceededError {
  override readonly code = 'CODEC_TIMEOUT';
}
