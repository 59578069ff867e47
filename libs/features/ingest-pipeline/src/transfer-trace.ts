// The trace of what objects come by, an association or an upload: its span, and one below it for each object chosen to be recorded. The
// traceparent of such a span goes into the receipt, and with it to whoever publishes, indexes and files the object.
import type { TraceSpan, Tracing } from '@perennia/telemetry';
import type { ObjectSink, ReceiveContext, ReceiveOutcome } from './receive-context.js';
import type { ReceiveObject } from './receive-object.js';

const SUCCESS = 0;

export class TransferTrace {
  private recorded = 0;

  /** @param everyObject because a caller wishes so; else chance decides */
  constructor(private readonly tracing: Tracing, readonly span: TraceSpan, private readonly everyObject = false) {}

  begin(receive: ReceiveObject, context: ReceiveContext): ObjectSink {
    if (!this.everyObject && !this.tracing.sample()) return receive.begin(context);
    this.recorded += 1;
    const stored = this.tracing.begin('stored', { parent: this.span.traceparent });
    return new TracedSink(receive.begin({ ...context, traceparent: stored.traceparent }), stored);
  }

  /** @param reason a code, when it did not end in order */
  end(reason?: string): void {
    this.span.set({ 'perennia.recorded_objects': this.recorded });
    if (reason !== undefined) this.span.fail(reason);
    this.span.end();
  }
}

class TracedSink implements ObjectSink {
  private sizeBytes = 0;

  constructor(private readonly sink: ObjectSink, private readonly span: TraceSpan) {}

  write(chunk: Buffer): void | Promise<void> {
    this.sizeBytes += chunk.length;
    return this.sink.write(chunk);
  }

  async end(): Promise<ReceiveOutcome> {
    const outcome = await this.sink.end();
    this.span.set({ 'perennia.received_bytes': this.sizeBytes });
    this.tell(outcome);
    this.span.end();
    return outcome;
  }

  abort(): void {
    this.sink.abort();
    this.span.fail('ABORTED');
    this.span.end();
  }

  private tell(outcome: ReceiveOutcome): void {
    if (outcome.outcome === 'stored') {
      const { receiptId, sopClassUid, transferSyntaxUid } = outcome;
      this.span.set({ 'perennia.receipt_id': receiptId, 'dicom.sop_class_uid': sopClassUid, 'dicom.transfer_syntax_uid': transferSyntaxUid, 'dicom.status': SUCCESS });
    } else {
      this.span.set({ 'dicom.status': outcome.dimseStatus });
      this.span.fail(outcome.reasonCode);
    }
  }
}
