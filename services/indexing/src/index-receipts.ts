// A batch of receipts into the catalogue, with its trace while telemetry is on: a span for the batch, and a short one for each object whose
// way is recorded, which goes into its row for filing to go on from.
import { INSTANCE_RECEIVED } from '@perennia/contracts';
import { BatchTrace, type Tracing } from '@perennia/telemetry';
import { InstanceIds } from './incoming-instance.js';
import type { IncomingReceipt } from './incoming-receipt.js';
import type { IndexBatch, IndexedBatch } from './index-batch.js';

/** Name of the group in the event log. */
export const INDEXING_GROUP = 'indexing';
const MESSAGING = {
  'messaging.system': 'perennia', 'messaging.destination.name': INSTANCE_RECEIVED, 'messaging.consumer.group.name': INDEXING_GROUP, 'messaging.operation.type': 'process',
  'messaging.operation.name': 'index',
};
const DATABASE = { 'db.system.name': 'postgresql', 'db.namespace': 'imaging', 'db.operation.name': 'index' };

export class IndexReceipts {
  constructor(private readonly indexer: IndexBatch, private readonly tracing: Tracing) {}

  apply(receipts: readonly IncomingReceipt[]): Promise<IndexedBatch> {
    const ids = new InstanceIds();
    const batch = receipts.map((receipt) => ids.incoming(receipt));
    const trace = this.tracing.enabled ? this.traceOf(receipts) : undefined;
    if (!trace) return this.indexer.apply(batch);
    const handedOn = batch.map((instance) => {
      const traceparent = trace.next(instance.receipt.traceparent);
      return traceparent === undefined ? instance : { ...instance, traceparent };
    });
    return trace.run(async (span) => {
      const writing = this.tracing.begin('index batch', { kind: 'client', parent: span.traceparent, attributes: { ...DATABASE, 'db.operation.batch.size': batch.length } });
      return this.indexer.apply(handedOn).finally(() => writing.end());
    });
  }

  private traceOf(receipts: readonly IncomingReceipt[]): BatchTrace | undefined {
    return BatchTrace.begin(this.tracing, {
      name: `process ${INSTANCE_RECEIVED}`, kind: 'consumer', member: 'indexed', parents: receipts.map(({ traceparent }) => traceparent),
      attributes: { ...MESSAGING, 'messaging.batch.message_count': receipts.length },
    });
  }
}
