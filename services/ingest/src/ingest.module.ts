// The DIMSE receiver: C-ECHO and C-STORE into the ingest pipeline.
import { Injectable, Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { isTestBuild } from '@perennia/fault-points';
import { AwaitIndexed, IngestPipelineConfig, IngestPipelineModule, ReceiveObject, SourceProfiles } from '@perennia/ingest-pipeline';
import { AppLogger, Clock, HealthRegistry, Metrics, Tracing } from '@perennia/telemetry';
import { AssociationTraces } from './association-traces.js';
import { DimseListener } from './dimse-listener.js';
import { IngestConfig } from './ingest.config.js';
import { IngestMetrics } from './ingest-metrics.js';
import { StoreHandler } from './store.handler.js';
import { warmUp } from './warm-up.js';

@Injectable()
class IngestLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private listening = false;

  constructor(
    private readonly listener: DimseListener,
    private readonly clock: Clock,
    health: HealthRegistry,
  ) {
    health.addReadiness('dicom-listener', () => (this.listening ? undefined : 'not listening yet'));
  }

  async onApplicationBootstrap(): Promise<void> {
    // Fault points are for objects of senders: a test build does without.
    if (!isTestBuild) await warmUp(this.clock);
    await this.listener.start();
    this.listening = true;
  }

  /** Before the pipeline ends: what is in flight is answered first. */
  async beforeApplicationShutdown(): Promise<void> {
    this.listening = false;
    await this.listener.stop();
  }
}

@Module({
  imports: [IngestPipelineModule],
  providers: [
    IngestLifecycle,
    { provide: IngestMetrics, useFactory: (metrics: Metrics) => new IngestMetrics(metrics), inject: [Metrics] },
    {
      provide: StoreHandler,
      useFactory: (receive: ReceiveObject, indexed: AwaitIndexed, config: IngestPipelineConfig, metrics: IngestMetrics, clock: Clock) =>
        new StoreHandler({ receive, indexed, indexedTimeoutMs: config.indexedTimeout, stored: metrics.stored, acknowledged: metrics.acknowledged, monotonicMs: () => clock.monotonicMs() }),
      inject: [ReceiveObject, AwaitIndexed, IngestPipelineConfig, IngestMetrics, Clock],
    },
    { provide: AssociationTraces, useFactory: (tracing: Tracing) => new AssociationTraces(tracing), inject: [Tracing] },
    {
      provide: DimseListener,
      useFactory: (config: IngestConfig, sources: SourceProfiles, metrics: IngestMetrics, logger: AppLogger, traces: AssociationTraces, store: StoreHandler) =>
        new DimseListener(config, sources, metrics, logger, traces, store),
      inject: [IngestConfig, SourceProfiles, IngestMetrics, AppLogger, AssociationTraces, StoreHandler],
    },
  ],
  exports: [DimseListener],
})
export class IngestModule {}
