// The DIMSE receiver: C-ECHO and C-STORE into the ingest pipeline.
import { Injectable, Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DimseStatus } from '@perennia/dicom-net';
import { acceptStorage, AssociationExchange, AssociationTraces, DimseListener, DimseModule, ListenerMetrics, StoreHandler } from '@perennia/ingest-pipeline/dimse';
import { isTestBuild } from '@perennia/fault-points';
import { IngestPipelineModule, SourceProfiles } from '@perennia/ingest-pipeline';
import { AppLogger, Clock, HealthRegistry } from '@perennia/telemetry';
import { IngestConfig } from './ingest.config.js';
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
  imports: [IngestPipelineModule, DimseModule],
  providers: [
    IngestLifecycle,
    {
      provide: DimseListener,
      useFactory: (
        settings: IngestConfig, sources: SourceProfiles, metrics: ListenerMetrics, logger: AppLogger, traces: AssociationTraces, store: StoreHandler,
        clock: Clock, exchange: AssociationExchange,
      ) => {
        const offered = { services: { echo: () => DimseStatus.success, store }, acceptContext: acceptStorage };
        return new DimseListener({ settings, variables: 'VNA_INGEST', offered, sources, metrics, logger, traces, clock, exchange });
      },
      inject: [IngestConfig, SourceProfiles, ListenerMetrics, AppLogger, AssociationTraces, StoreHandler, Clock, AssociationExchange],
    },
  ],
  exports: [DimseListener],
})
export class IngestModule {}
