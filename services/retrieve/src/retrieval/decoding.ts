// What retrieval may decode, and how.
import type { DecodedDataset, PixelDecoder } from '@perennia/egress';

export class Decoding {
  constructor(
    private readonly decoder: PixelDecoder,
    /** Of one instance of a tenant, in an uncompressed transfer syntax. */
    readonly decoded: DecodedDataset,
  ) {}

  readonly decodes = (transferSyntaxUid: string): boolean => this.decoder.decodes(transferSyntaxUid);
}
