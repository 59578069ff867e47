// Decides what each receipt of a batch is: a new instance, the next version of one, a known receipt, or a duplicate. Pure.
// The first in the order of the log is kept. Equal bytes are redundant. Other bytes are a conflict, unless the source's profile
// supersedes — and then only within the same study: nobody moves an image to another patient by sending it again.
import { IllegalStateError } from '@perennia/errors';
import { instanceKey, type IncomingInstance } from './incoming-instance.js';

/** The instance that stands for a SOP Instance UID now. */
export interface KeptInstance {
  id: string;
  bucket: number;
  studyId: string;
  version: number;
  datasetSha256: string;
}
export interface NewInstance {
  role: 'fresh' | 'supersede';
  incoming: IncomingInstance;
  version: number;
  state: 'current' | 'superseded';
}
export interface DuplicateReceipt {
  role: 'redundant' | 'conflict';
  incoming: IncomingInstance;
  kept: KeptInstance;
}
export interface Decisions {
  instances: NewInstance[];
  duplicates: DuplicateReceipt[];
  /** Instances of earlier transactions that have a newer version now. */
  superseded: KeptInstance[];
  /** Receipts whose effect is there already. */
  known: IncomingInstance[];
}
export interface CatalogueState {
  /** Receipts whose SOP Instance UID was entered into the directory by this transaction. */
  claimed: ReadonlySet<string>;
  /** By instanceKey; the row is locked. */
  kept: ReadonlyMap<string, KeptInstance>;
  knownReceipts: ReadonlySet<string>;
}

export function decideRoles(batch: readonly IncomingInstance[], state: CatalogueState): Decisions {
  const decisions: Decisions = { instances: [], duplicates: [], superseded: [], known: [] };
  const current = new Map(state.kept);
  const seen = new Set(state.knownReceipts);
  const newById = new Map<string, NewInstance>();
  for (const incoming of batch) {
    const { receipt, studyId } = incoming;
    if (seen.has(receipt.receiptId)) {
      decisions.known.push(incoming);
      continue;
    }
    seen.add(receipt.receiptId);
    const key = instanceKey(receipt.tenantId, receipt.sopInstanceUid);
    const kept = current.get(key);
    const role = roleOf(incoming, kept, state);
    if (role === 'redundant' || role === 'conflict') {
      decisions.duplicates.push({ role, incoming, kept: kept! });
      continue;
    }
    const version = (kept?.version ?? 0) + 1;
    const added: NewInstance = { role, incoming, version, state: 'current' };
    const previous = kept && newById.get(kept.id);
    if (previous) previous.state = 'superseded';
    else if (kept) decisions.superseded.push(kept);
    decisions.instances.push(added);
    newById.set(receipt.receiptId, added);
    current.set(key, { id: receipt.receiptId, bucket: receipt.bucket, studyId, version, datasetSha256: receipt.datasetSha256 });
  }
  return decisions;
}

function roleOf({ receipt, studyId }: IncomingInstance, kept: KeptInstance | undefined, state: CatalogueState): NewInstance['role'] | DuplicateReceipt['role'] {
  if (!kept) {
    if (state.claimed.has(receipt.receiptId)) return 'fresh';
    throw new IllegalStateError('An instance is neither new nor in the directory.', { details: { receiptId: receipt.receiptId } });
  }
  if (kept.datasetSha256 === receipt.datasetSha256) return 'redundant';
  return receipt.onConflict === 'supersede' && kept.studyId === studyId ? 'supersede' : 'conflict';
}
