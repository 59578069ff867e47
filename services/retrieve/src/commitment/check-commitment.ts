// Whether the archive has what it is asked to be responsible for: known, of the class that is said, and its bytes as they were received. A copy
// whose bytes nobody has compared with their digest for a while is read (egress, ReadInstance.prove).
import type { InstanceDirectory, ReadInstance, StoredInstance } from '@perennia/egress';
import { ArchiveError } from '@perennia/errors';
import type { CommitmentReference } from './commitment-request.js';
import { FailureReason, type CommitmentResult } from './commitment-result.js';

const AT_ONCE = 500;
/** Only known, or known and read where it was not lately. */
export type CommitmentDepth = 'listed' | 'digest';

export class CheckCommitment {
  constructor(
    private readonly directory: InstanceDirectory,
    private readonly read: ReadInstance,
    private readonly depth: CommitmentDepth,
  ) {}

  /** @throws UnavailableError when database or stores cannot tell now */
  async check(tenantId: string, references: readonly CommitmentReference[], signal: AbortSignal): Promise<CommitmentResult> {
    const result: CommitmentResult = { committed: [], failed: [] };
    for (let at = 0; at < references.length; at += AT_ONCE) {
      const part = references.slice(at, at + AT_ONCE);
      const known = await this.directory.instancesByUid(tenantId, part.map(({ sopInstanceUid }) => sopInstanceUid));
      const byUid = new Map(known.map((instance) => [instance.sopInstanceUid, instance]));
      for (const reference of part) {
        signal.throwIfAborted();
        const reason = await this.failureOf(reference, byUid.get(reference.sopInstanceUid));
        if (reason === undefined) result.committed.push(reference);
        else result.failed.push({ ...reference, reason });
      }
    }
    return result;
  }

  private async failureOf({ sopClassUid }: CommitmentReference, instance: StoredInstance | undefined): Promise<number | undefined> {
    if (!instance) return FailureReason.noSuchObjectInstance;
    if (instance.sopClassUid !== sopClassUid) return FailureReason.classInstanceConflict;
    if (this.depth === 'listed') return undefined;
    try {
      await this.read.prove(instance);
      return undefined;
    } catch (error) {
      if (error instanceof ArchiveError && error.retriable) throw error;
      return FailureReason.processingFailure;
    }
  }
}
