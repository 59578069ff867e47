// Which instances can be given decoded, and how.
import { DecodedDataset, type PixelDecoder } from './decoded-dataset.js';
import type { InstanceDirectory } from './instance-directory.js';
import type { Decode } from './object-feed.js';
import { ReadFrames } from './read-frames.js';
import type { ReadInstance } from './read-instance.js';

export class Decoding {
  private readonly decoded: DecodedDataset;

  constructor(
    directory: InstanceDirectory, readInstance: ReadInstance,
    private readonly decoder: PixelDecoder,
  ) {
    this.decoded = new DecodedDataset({ directory, readInstance, readFrames: new ReadFrames(readInstance), decoder });
  }

  readonly decodes = (transferSyntaxUid: string): boolean => this.decoder.decodes(transferSyntaxUid);

  /** Of instances of a tenant. */
  of = (tenantId: string): Decode => (instance, wanted) => this.decoded.stream(instance, tenantId, wanted);
}
