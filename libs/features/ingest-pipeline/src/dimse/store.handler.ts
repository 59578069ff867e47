// C-STORE: hands the bytes to the ingest pipeline and turns its outcome into a DIMSE status (PS3.4 Annex B).
import { DimseStatus, type StoreOutcome, type StoreRequest, type StoreService, type StoreSink } from '@perennia/dicom-net';
import { faultPoint } from '@perennia/fault-points';
import { type AwaitIndexed } from '../await-indexed.js';
import { type ObjectSink, type ReceiveContext } from '../receive-context.js';
import { type ReceiveObject } from '../receive-object.js';
import { type SourceProfile } from '../source-profile.js';
import type { SenderSession } from './sender-session.js';
import type { Counter, Histogram } from './listener-metrics.js';

export interface StoreHandlerParts {
  receive: ReceiveObject;
  indexed: AwaitIndexed;
  indexedTimeoutMs: number;
  stored: Counter;
  acknowledged: Histogram;
  monotonicMs(): number;
}

export class StoreHandler implements StoreService {
  constructor(private readonly parts: StoreHandlerParts) {}

  begin(request: StoreRequest): StoreSink {
    const { profile, memory, trace } = request.session as SenderSession;
    const { receive } = this.parts;
    const context: ReceiveContext = {
      road: 'dimse',
      profile,
      source: { callingAet: request.callingAet, calledAet: request.calledAet, peer: request.peer.address },
      command: request,
      memory,
    };
    return new PipelineSink(this.parts, profile, trace ? trace.begin(receive, context) : receive.begin(context));
  }
}

class PipelineSink implements StoreSink {
  private readonly startedMs: number;

  constructor(
    private readonly parts: StoreHandlerParts,
    private readonly profile: SourceProfile,
    private readonly sink: ObjectSink,
  ) {
    this.startedMs = parts.monotonicMs();
  }

  write(chunk: Buffer): void | Promise<void> {
    return this.sink.write(chunk);
  }

  async end(): Promise<StoreOutcome> {
    const outcome = await this.sink.end();
    if (outcome.outcome === 'refused') return { status: outcome.dimseStatus, errorComment: outcome.message.slice(0, 64) };
    if (this.profile.acknowledge === 'indexed') await this.parts.indexed.wait([outcome], this.parts.indexedTimeoutMs);
    this.parts.stored.inc();
    this.parts.acknowledged.observe((this.parts.monotonicMs() - this.startedMs) / 1000);
    setImmediate(faultPoint, 'K9');
    return { status: DimseStatus.success };
  }

  abort(): void {
    this.sink.abort();
  }
}
