// What every service with a DICOM listener has: C-STORE into the pipeline of its process, counters, traces of associations.
import { Module } from '@nestjs/common';
import { Clock, Metrics, Tracing } from '@perennia/telemetry';
import { AwaitIndexed } from '../await-indexed.js';
import { IngestPipelineConfig } from '../ingest-pipeline.config.js';
import { IngestPipelineModule } from '../ingest-pipeline.module.js';
import { ReceiveObject } from '../receive-object.js';
import { AssociationTraces } from './association-traces.js';
import { ListenerMetrics } from './listener-metrics.js';
import { StoreHandler } from './store.handler.js';

@Module({
  imports: [IngestPipelineModule],
  providers: [
    { provide: ListenerMetrics, useFactory: (metrics: Metrics) => new ListenerMetrics(metrics), inject: [Metrics] },
    { provide: AssociationTraces, useFactory: (tracing: Tracing) => new AssociationTraces(tracing), inject: [Tracing] },
    {
      provide: StoreHandler,
      useFactory: (receive: ReceiveObject, indexed: AwaitIndexed, config: IngestPipelineConfig, metrics: ListenerMetrics, clock: Clock) =>
        new StoreHandler({ receive, indexed, indexedTimeoutMs: config.indexedTimeout, stored: metrics.stored, acknowledged: metrics.acknowledged, monotonicMs: () => clock.monotonicMs() }),
      inject: [ReceiveObject, AwaitIndexed, IngestPipelineConfig, ListenerMetrics, Clock],
    },
  ],
  exports: [ListenerMetrics, AssociationTraces, StoreHandler],
})
export class DimseModule {}
