// What is wrong with a frame is told apart from what is wrong with us.
import { CorruptDataError } from '@perennia/errors';

/** The bytes of a frame are not what its transfer syntax and its Image Pixel Module say. Trying again will not help. */
export class CodestreamError extends CorruptDataError {
  override readonly code = 'CODESTREAM';
}
