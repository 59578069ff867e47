// Datasets of many instances, one after the other, for whoever sends them over an association: small ones are read ahead while the one before is
// sent, large ones are streamed. What cannot be read costs itself only.
import { canRewrite, DatasetRewriter } from '@perennia/dicom-stream';
import { EXPLICIT_VR_LITTLE_ENDIAN, transferSyntaxOf } from '@perennia/dicom-data';
import { inflateDataset } from './inflate-dataset.js';
import { orderedWindow } from './ordered-window.js';
import type { ReadInstance } from './read-instance.js';
import type { StoredInstance } from './stored-instance.js';

const READ_AHEAD_BYTES = 1024 * 1024;
/** Begun and not yet taken: with what is read ahead of each, this bounds what a request holds. */
const WINDOW = 4;
/** Kept for the next object; more than that is given to the collector. */
const MAX_FREE_BUFFERS = 16;

/** What one instance is sent from. */
export interface FedObject {
  instance: StoredInstance;
  /** Set where its bytes cannot be had now. */
  failure?: unknown;
  /** The dataset, without File Meta Information, as it is stored or in another syntax (see `canSendIn`). */
  dataset(transferSyntaxUid: string): Buffer | AsyncIterable<Buffer>;
  /** Its bytes are not needed any more by anybody, the network included: their memory is used again. */
  release(): void;
}

/** The dataset of an instance with its pixels decoded (see DecodedDataset). */
export type Decode = (instance: StoredInstance, transferSyntaxUid: string) => AsyncIterable<Buffer>;

const notDecoded: Decode = ({ transferSyntaxUid }, wanted) => {
  throw new RangeError(`A dataset in ${transferSyntaxUid} is not given in ${wanted} here.`);
};

/**
 * Whether an instance can be given in a transfer syntax: its own, another one that says the same bytes of pixels, or an uncompressed one where its
 * pixels can be decoded. Single objects may turn out not to be decodable.
 */
export function canSendIn({ transferSyntaxUid }: Pick<StoredInstance, 'transferSyntaxUid'>, wanted: string, decodes: (transferSyntaxUid: string) => boolean = () => false): boolean {
  if (transferSyntaxUid === wanted || canRewrite(inflated(transferSyntaxUid), wanted)) return true;
  return transferSyntaxOf(transferSyntaxUid).encapsulated && canRewrite(EXPLICIT_VR_LITTLE_ENDIAN, wanted) && decodes(transferSyntaxUid);
}

export class ObjectFeed {
  // Used again: new memory for each object costs as much in page faults and collections as reading and sending it.
  private readonly free: Buffer[] = [];

  constructor(private readonly readInstance: ReadInstance) {}

  /** @param decode for syntaxes in which instances can be had by decoding only; without it they cannot */
  objects(instances: Iterable<StoredInstance>, decode: Decode = notDecoded): AsyncGenerator<FedObject, void, void> {
    return orderedWindow(instances, WINDOW, (instance) => this.object(instance, decode));
  }

  private async object(instance: StoredInstance, decode: Decode): Promise<FedObject> {
    const { datasetOffset, objectLength, transferSyntaxUid } = instance;
    const length = objectLength - datasetOffset;
    const memory = length <= READ_AHEAD_BYTES ? (this.free.pop() ?? Buffer.allocUnsafeSlow(READ_AHEAD_BYTES)) : undefined;
    try {
      await this.readInstance.prove(instance);
      const ahead = memory && (await this.readInstance.read(instance, datasetOffset, length, memory));
      return {
        instance,
        dataset: (wanted) => {
          if (wanted === transferSyntaxUid) return ahead ?? this.readInstance.stream(instance, datasetOffset, length);
          return canRewrite(inflated(transferSyntaxUid), wanted) ? this.rewritten(instance, wanted, ahead) : decode(instance, wanted);
        },
        release: () => this.keep(memory),
      };
    } catch (failure) {
      return { instance, failure, dataset: () => Buffer.alloc(0), release: () => undefined };
    }
  }

  private keep(memory: Buffer | undefined): void {
    if (memory && this.free.length < MAX_FREE_BUFFERS) this.free.push(memory);
  }

  private async *rewritten(instance: StoredInstance, wanted: string, ahead: Buffer | undefined): AsyncGenerator<Buffer, void, void> {
    const { datasetOffset, objectLength, transferSyntaxUid } = instance;
    const isDeflated = transferSyntaxOf(transferSyntaxUid).deflated;
    const whole = isDeflated ? await inflateDataset(this.readInstance, instance) : ahead;
    if (whole && inflated(transferSyntaxUid) === wanted) return yield whole;
    const rewriter = new DatasetRewriter(inflated(transferSyntaxUid), wanted);
    for await (const chunk of whole ? [whole] : this.readInstance.stream(instance, datasetOffset, objectLength - datasetOffset)) yield rewriter.push(chunk);
    rewriter.end();
  }
}

/** PS3.5 §A.5: what is deflated is in explicit VR little endian; but pixels that are elsewhere stay there. */
function inflated(transferSyntaxUid: string): string {
  const { deflated, referenced } = transferSyntaxOf(transferSyntaxUid);
  return deflated && !referenced ? EXPLICIT_VR_LITTLE_ENDIAN : transferSyntaxUid;
}
