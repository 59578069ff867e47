// Whole instances as Part 10 objects, each in the transfer syntax it is asked in: as they are stored, byte for byte, or with a File Meta
// Information and a dataset written anew, its pixels decoded if need be (PS3.10 §7.1, PS3.5 Annex A).
import { DicomParseError } from '@perennia/dicom-data';
import { part10Prefix } from '@perennia/dicom-stream';
import { CorruptDataError } from '@perennia/errors';
import type { Decoding } from './decoding.js';
import type { FedObject, ObjectFeed } from './object-feed.js';
import type { InstancePiece, RetrieveInstances } from './retrieve-instances.js';
import type { StoredInstance } from './stored-instance.js';

export interface GivenInstance {
  instance: StoredInstance;
  /** The stored one, or another that `canSendIn` allows. */
  transferSyntaxUid: string;
}

export class GiveInstances {
  constructor(
    private readonly retrieve: RetrieveInstances,
    private readonly feed: ObjectFeed,
    private readonly decoding: Decoding,
  ) {}

  /**
   * Instances in the order given, each of its pieces in order. The bytes are valid until the next pieces are asked for.
   * @throws CorruptDataError where a dataset cannot be read as far as another transfer syntax needs
   */
  async *pieces(given: readonly GivenInstance[], tenantId: string): AsyncGenerator<InstancePiece[], void, void> {
    for (const { instances, rewrittenIn } of runsOf(given)) {
      if (rewrittenIn === null) yield* this.retrieve.pieces(instances);
      else for await (const object of this.feed.objects(instances, this.decoding.of(tenantId))) yield* rewritten(object, rewrittenIn);
    }
  }
}

interface Run {
  instances: StoredInstance[];
  /** Null: as stored. */
  rewrittenIn: string | null;
}

/** What follows one another and is given in the same way, so that much is read at once. */
function* runsOf(given: readonly GivenInstance[]): Generator<Run> {
  let open: Run | null = null;
  for (const { instance, transferSyntaxUid } of given) {
    const rewrittenIn = instance.transferSyntaxUid === transferSyntaxUid ? null : transferSyntaxUid;
    if (open && open.rewrittenIn !== rewrittenIn) {
      yield open;
      open = null;
    }
    open ??= { instances: [], rewrittenIn };
    open.instances.push(instance);
  }
  if (open) yield open;
}

/** The prefix goes with the first bytes of the dataset: what cannot be read at all is told before anything was given. */
async function* rewritten(object: FedObject, transferSyntaxUid: string): AsyncGenerator<InstancePiece[], void, void> {
  const { instance, failure } = object;
  if (failure !== undefined) throw failure;
  const { sopClassUid, sopInstanceUid } = instance;
  let waiting: Buffer[] = [part10Prefix({ sopClassUid, sopInstanceUid, transferSyntaxUid })];
  let offset = 0;
  const take = (bytes: Buffer): InstancePiece => ({ instance, offset: (offset += bytes.length) - bytes.length, bytes });
  const bytes = object.dataset(transferSyntaxUid);
  try {
    for await (const chunk of Buffer.isBuffer(bytes) ? [bytes] : bytes) {
      if (chunk.length === 0) continue;
      yield [...waiting, chunk].map(take);
      waiting = [];
    }
  } catch (error) {
    if (!(error instanceof DicomParseError)) throw error;
    throw new CorruptDataError('The dataset cannot be written in another transfer syntax, because it is not what its own says.', {
      cause: error,
      remedy: 'Ask for transfer-syntax=*: the instance is given as it is stored.',
    });
  }
  if (waiting.length > 0) yield waiting.map(take);
  // Only here: who asks for more has no use for what was given; who does not ask again may still be sending it.
  object.release();
}
