// One transaction of storage commitment: checked once everything has had time to be indexed, then told to who asked, again and again for days
// until that takes it (PS3.4 §J.3.3).
import { UnavailableError } from '@perennia/errors';
import { COMMITMENT_QUEUE, type NewJob, type RunningJob } from '@perennia/jobs';
import type { NodeDirectory, RemoteNode } from '@perennia/remote-nodes';
import type { Clock } from '@perennia/telemetry';
import type { CheckCommitment } from './check-commitment.js';
import type { CommitmentRequest } from './commitment-request.js';
import { FailureReason, type CommitmentResult } from './commitment-result.js';

/** With five minutes between them: a week. */
const MAX_ATTEMPTS = 2000;

export interface CommitmentPayload extends CommitmentRequest {
  tenantId: string;
  /** AE title that asked. */
  requester: string;
  askedAt: string;
}
/** What was found, kept between attempts to tell it. */
export interface CommitmentCursor {
  result: CommitmentResult;
}

/** Asked twice while under way, it is the same transaction. */
export const commitmentJob = (payload: CommitmentPayload): NewJob => ({
  queue: COMMITMENT_QUEUE, dedupeKey: `${payload.tenantId}/${payload.requester}/${payload.transactionUid}`, maxAttempts: MAX_ATTEMPTS, payload,
});

export interface CommitmentJobParts {
  check: CheckCommitment;
  nodes: NodeDirectory;
  clock: Clock;
  /** How long what is not known yet may still be on its way to the catalogue. */
  indexingGraceMs: number;
  /** Tells it over an association of its own. @throws UnavailableError */
  report: (node: RemoteNode, transactionUid: string, result: CommitmentResult) => Promise<void>;
}

export class CommitmentJob {
  constructor(private readonly parts: CommitmentJobParts) {}

  /** @throws UnavailableError: tried again later */
  async run(job: RunningJob<CommitmentPayload, CommitmentCursor>): Promise<void> {
    const { tenantId, requester, transactionUid } = job.payload;
    const result = job.cursor?.result ?? (await this.checked(job));
    const node = await this.parts.nodes.find(tenantId, requester);
    if (!node) throw new UnavailableError(`There is no remote node ${requester} to tell the result to`, { remedy: `vna node add ${requester} --host … --port …` });
    await this.parts.report(node, transactionUid, result);
  }

  private async checked(job: RunningJob<CommitmentPayload, CommitmentCursor>): Promise<CommitmentResult> {
    const { tenantId, references, askedAt } = job.payload;
    const { check, clock, indexingGraceMs } = this.parts;
    const result = await check.check(tenantId, references, job.signal);
    const isEarly = clock.nowMs() - Date.parse(askedAt) < indexingGraceMs;
    if (isEarly && result.failed.some(({ reason }) => reason === FailureReason.noSuchObjectInstance)) throw new UnavailableError('Some objects are not in the catalogue yet');
    await job.checkpoint({ result }, { committed: result.committed.length, failed: result.failed.length });
    return result;
  }
}
