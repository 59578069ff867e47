// The indexing service's member of the log's group: takes receipts of all its partitions in batches and indexes them.
import { INSTANCE_RECEIVED } from '@perennia/contracts';
import type { ConsumerRunner, LogRecord, Subscription } from '@perennia/messaging';
import type { CatalogueStatistics } from '@perennia/persistence';
import type { PlaceReader } from '@perennia/storage';
import type { Clock, Logger, Metrics } from '@perennia/telemetry';
import { completeReceipts } from './complete-receipts.js';
import { INDEXING_GROUP, type IndexReceipts } from './index-receipts.js';
import type { IndexedNotice } from './indexed-notice.js';
import { parseReceipts } from './parse-receipts.js';

const LAG_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 60, 600];

export interface ReceiptConsumerParts {
  runner: ConsumerRunner;
  indexer: IndexReceipts;
  reader: PlaceReader;
  notice: IndexedNotice;
  statistics: CatalogueStatistics;
  clock: Clock;
  metrics: Metrics;
  log: Logger;
  batchReceipts: number;
}

export class ReceiptConsumer {
  private readonly receipts;
  private readonly lag;
  private subscription: Subscription | undefined;

  constructor(private readonly parts: ReceiptConsumerParts) {
    this.receipts = parts.metrics.counter('vna_indexed_receipts_total', 'Receipts by what indexing made of them', ['result']);
    this.lag = parts.metrics.histogram('vna_indexing_lag_seconds', 'From the reception of an instance until it is found', LAG_SECONDS);
  }

  async start(): Promise<void> {
    const { runner, batchReceipts } = this.parts;
    this.subscription = await runner.start({ topic: INSTANCE_RECEIVED, group: INDEXING_GROUP, maxRecords: batchReceipts, handle: (records) => this.handle(records) });
  }

  async stop(): Promise<void> {
    await this.subscription?.close();
    await this.parts.notice.drained();
  }

  async handle(records: readonly LogRecord[]): Promise<void> {
    const { indexer, reader, notice, statistics, clock, log } = this.parts;
    const receipts = await completeReceipts(parseReceipts(records), reader);
    const { instances, redundant, conflicts, known } = await indexer.apply(receipts);
    notice.announce(receipts.length);
    statistics.analyzeWhenGrown(instances).catch((err: unknown) => log.warn({ err }, 'The statistics of the catalogue could not be brought up to date'));
    for (const [result, count] of Object.entries({ new: instances, redundant, conflict: conflicts, known: known.length })) this.receipts.inc({ result }, count);
    const oldest = receipts[0];
    if (oldest) this.lag.observe(Math.max(0, clock.nowMs() - Date.parse(oldest.receivedAt)) / 1000);
  }
}
