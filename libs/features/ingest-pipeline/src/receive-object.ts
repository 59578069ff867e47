// The page to read first: what happens to an object between its first byte and the answer to its sender.
//   stream once (prefix → digest → header tap) → check → land → answer.
// Neither PostgreSQL nor the event log is asked. Bad input is told by `end`, after all bytes were taken, so that a DIMSE sender
// gets a status instead of an abort.
import { createHash, hash, type Hash } from 'node:crypto';
import { HeaderTap, part10Prefix, type Part10Header } from '@perennia/dicom-stream';
import { faultPoint } from '@perennia/fault-points';
import type { Landing } from '@perennia/storage';
import type { Clock } from '@perennia/telemetry';
import type { BlockPool } from './block-pool.js';
import { LandingBody } from './landing-body.js';
import { makeReceipt } from './make-receipt.js';
import { Part10Beginning, type Part10Start } from './part10-beginning.js';
import type { ObjectSink, ReceiveContext, ReceiveOutcome } from './receive-context.js';
import { Refusal } from './refusal.js';
import type { RefusalLog } from './refusal-log.js';
import { checkIdentity } from './check-identity.js';

export interface ReceiveObjectParts {
  landing: Landing;
  blocks: BlockPool;
  refusals: RefusalLog;
  clock: Clock;
}

export class ReceiveObject {
  constructor(private readonly parts: ReceiveObjectParts) {}

  begin(context: ReceiveContext): ObjectSink {
    faultPoint('K2');
    return new ObjectReception(this.parts, context);
  }
}

class ObjectReception implements ObjectSink {
  private readonly body: LandingBody;
  /**
   * Once the object is larger than one small block; before, all of it is hashed at once in the end. On this thread, while the bytes
   * arrive: a thread of its own, over blocks and orders in shared memory, was built three times and lost (docs/adr/0013).
   */
  private digest: Hash | undefined;
  private tap: HeaderTap | undefined;
  /** Set while the first bytes of a Part 10 file are looked at. */
  private beginning: Part10Beginning | undefined;
  private fileHeader: Part10Header | undefined;
  private transferSyntaxUid = '';
  private datasetOffset = 0;
  private failure: Refusal | undefined;
  private chunks = 0;
  private ending = false;

  constructor(
    private readonly parts: ReceiveObjectParts,
    private readonly context: ReceiveContext,
  ) {
    this.body = new LandingBody(parts.landing, parts.blocks, undefined, context.batch);
    if (context.command) this.beginBareDataset(context.command);
    else this.beginning = new Part10Beginning();
  }

  private beginBareDataset(command: NonNullable<ReceiveContext['command']>): void {
    const prefix = part10Prefix({ ...command, sourceAet: this.context.source.callingAet });
    void this.body.write(prefix);
    this.beginDataset(command.transferSyntaxUid, prefix.length);
  }

  private beginDataset(transferSyntaxUid: string, datasetOffset: number): void {
    this.transferSyntaxUid = transferSyntaxUid;
    this.datasetOffset = datasetOffset;
    const { memory, profile: { issuer, characterSet } } = this.context;
    this.tap = new HeaderTap({ transferSyntaxUid, datasetOffset, memory, defaultIssuer: issuer, defaultCharacterSet: characterSet });
  }

  write(chunk: Buffer): void | Promise<void> {
    this.chunks += 1;
    if (this.chunks === 1) faultPoint('K3');
    else if (this.chunks === 2) faultPoint('K4');
    if (this.failure) return undefined;
    try {
      const dataset = this.beginning ? this.beginFile(this.beginning.push(chunk)) : chunk;
      return dataset && dataset.length > 0 ? this.take(dataset) : undefined;
    } catch (error) {
      this.fail(error);
    }
    return undefined;
  }

  /** Gives the bytes of the dataset that came with the beginning. */
  private beginFile(start: Part10Start | undefined): Buffer | undefined {
    if (!start) return undefined;
    this.beginning = undefined;
    this.fileHeader = start.header;
    void this.body.write(start.prefix);
    this.beginDataset(start.header.transferSyntaxUid, start.datasetOffset);
    return start.dataset;
  }

  private take(dataset: Buffer): void | Promise<void> {
    const tapped = this.tap!.push(dataset);
    if (!this.digest && !this.body.staysSmall(dataset.length)) this.digest = createHash('sha256').update(this.body.small.subarray(this.datasetOffset));
    this.digest?.update(dataset);
    const landed = this.body.write(dataset);
    return tapped || landed ? this.settle(tapped, landed) : undefined;
  }

  private async settle(...pending: (void | Promise<void> | undefined)[]): Promise<void> {
    try {
      await Promise.all(pending);
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.failure ??= Refusal.of(error);
    this.tap?.abort();
    void this.body.abort();
  }

  async end(): Promise<ReceiveOutcome> {
    faultPoint('K5');
    this.ending = true;
    try {
      if (this.failure) throw this.failure;
      if (this.beginning) await this.take(this.beginFile(this.beginning.end())!);
      if (this.failure) throw this.failure;
      const summary = await this.tap!.end();
      const warning = checkIdentity(summary, this.context, this.fileHeader);
      const { receiptId, bucket, text } = makeReceipt({
        context: this.context,
        summary,
        transferSyntaxUid: this.transferSyntaxUid,
        datasetOffset: this.datasetOffset,
        objectLength: this.body.sizeBytes,
        datasetSha256: this.digest ? this.digest.digest('hex') : hash('sha256', this.body.small.subarray(this.datasetOffset), 'hex'),
        nowMs: this.parts.clock.nowMs(),
      });
      await this.body.commit(text);
      const { sopClassUid, sopInstanceUid, studyInstanceUid, seriesInstanceUid } = summary;
      return { outcome: 'stored', receiptId, bucket, sopClassUid, transferSyntaxUid: this.transferSyntaxUid, sopInstanceUid, studyInstanceUid, seriesInstanceUid, warning };
    } catch (error) {
      return this.refuse(error);
    }
  }

  private refuse(error: unknown): ReceiveOutcome {
    const refusal = Refusal.of(error);
    this.fail(refusal);
    const uids = {
      sopClassUid: this.context.command?.sopClassUid ?? this.fileHeader?.mediaStorageSopClassUid,
      sopInstanceUid: this.context.command?.sopInstanceUid ?? this.fileHeader?.mediaStorageSopInstanceUid,
    };
    this.parts.refusals.record(refusal, this.context, uids);
    return refusal.outcome(uids);
  }

  /** What has all its bytes lands whole, also when its sender has gone meanwhile. */
  abort(): void {
    if (this.ending) return;
    this.tap?.abort();
    void this.body.abort();
  }
}
