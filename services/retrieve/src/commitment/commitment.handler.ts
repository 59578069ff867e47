// N-ACTION of storage commitment (PS3.4 §J.3.2): kept as a job and answered at once; the result follows as an event.
import { DimseFailure, DimseStatus, StorageCommitment, type ActionRequest, type ActionService, type NormalizedOutcome } from '@perennia/dicom-net';
import { ArchiveError } from '@perennia/errors';
import type { SenderSession } from '@perennia/ingest-pipeline/dimse';
import type { JobQueue } from '@perennia/jobs';
import type { Clock, Logger } from '@perennia/telemetry';
import { readIdentifier } from '../read-identifier.js';
import type { CheckCommitment } from './check-commitment.js';
import { commitmentRequestOf } from './commitment-request.js';
import { commitmentJob, type CommitmentPayload } from './commitment.job.js';
import type { EventReporter } from './event-reporter.js';

/** What is told on the association of the request is tried there first. */
const HEAD_START_MS = 15_000;

export interface CommitmentHandlerParts {
  jobs: JobQueue;
  check: CheckCommitment;
  reporter: EventReporter;
  clock: Clock;
  logger: Logger;
  /** A job was added. */
  wake: () => void;
}

export class CommitmentHandler implements ActionService {
  readonly sopClassUids = new Set([StorageCommitment.sopClassUid]);

  constructor(private readonly parts: CommitmentHandlerParts) {}

  async perform(request: ActionRequest, information: Buffer | null): Promise<NormalizedOutcome> {
    if (request.sopInstanceUid !== StorageCommitment.sopInstanceUid) return { status: DimseStatus.noSuchSopInstance };
    if (request.actionTypeId !== StorageCommitment.requestActionTypeId) return { status: DimseStatus.noSuchAction };
    const { profile } = request.session as SenderSession;
    const { transactionUid, references } = commitmentRequestOf(readIdentifier(information ?? Buffer.alloc(0), request.transferSyntaxUid, profile.characterSet));
    const payload = { tenantId: profile.tenantId, requester: request.callingAet, transactionUid, references, askedAt: new Date(this.parts.clock.nowMs()).toISOString() };
    const isToldHere = profile.commitmentReport === 'same';
    const id = await this.keep(payload, isToldHere ? HEAD_START_MS : 0);
    if (isToldHere) setImmediate(() => void this.tellHere(request, payload, id));
    return { status: DimseStatus.success };
  }

  private async keep(payload: CommitmentPayload, delayMs: number): Promise<string> {
    const { jobs, clock, wake } = this.parts;
    try {
      const [id] = await jobs.enqueue([{ ...commitmentJob(payload), runAt: new Date(clock.nowMs() + delayMs) }]);
      wake();
      return id!;
    } catch (error) {
      if (error instanceof ArchiveError && error.retriable) throw new DimseFailure(DimseStatus.processingFailure, 'The request cannot be kept now; ask again');
      throw error;
    }
  }

  /** Where this fails the job tells it over an association of our own. */
  private async tellHere(request: ActionRequest, { tenantId, transactionUid, references }: CommitmentPayload, id: string): Promise<void> {
    const { check, reporter, jobs, logger } = this.parts;
    try {
      const result = await check.check(tenantId, references, AbortSignal.timeout(HEAD_START_MS));
      if (result.failed.length > 0) return;
      await request.report(reporter.operationOf(request.transferSyntaxUid, transactionUid, result));
      await jobs.cancel(id);
    } catch (err) {
      logger.info({ err, callingAet: request.callingAet }, 'A result of storage commitment could not be told on the association of its request');
    }
  }
}
