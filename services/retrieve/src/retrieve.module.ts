// The retrieve service: C-FIND on the catalogue. It takes C-ECHO and C-STORE too, for peers that ask for everything on one association.
import { Injectable, Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { CatalogSearch, PatientSearch } from '@perennia/catalog-query';
import { DimseStatus } from '@perennia/dicom-net';
import { AssociationExchange, AssociationTraces, DimseListener, ListenerMetrics, StoreHandler } from '@perennia/ingest-pipeline/dimse';
import { AwaitIndexed, IngestPipelineConfig, IngestPipelineModule, ReceiveObject, SourceProfiles } from '@perennia/ingest-pipeline';
import { ImagingDatabase } from '@perennia/persistence';
import { AppLogger, Clock, HealthRegistry, Metrics, Tracing } from '@perennia/telemetry';
import { FindHandler } from './find/find.handler.js';
import { acceptContext, acceptQueryExtensions } from './offered-contexts.js';
import { RetrieveConfig } from './retrieve.config.js';

@Injectable()
class RetrieveLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private listening = false;

  constructor(
    private readonly listener: DimseListener,
    health: HealthRegistry,
  ) {
    health.addReadiness('query-listener', () => (this.listening ? undefined : 'not listening yet'));
  }

  async onApplicationBootstrap(): Promise<void> {
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
    RetrieveLifecycle,
    { provide: ListenerMetrics, useFactory: (metrics: Metrics) => new ListenerMetrics(metrics), inject: [Metrics] },
    { provide: AssociationTraces, useFactory: (tracing: Tracing) => new AssociationTraces(tracing), inject: [Tracing] },
    {
      provide: StoreHandler,
      useFactory: (receive: ReceiveObject, indexed: AwaitIndexed, config: IngestPipelineConfig, metrics: ListenerMetrics, clock: Clock) =>
        new StoreHandler({ receive, indexed, indexedTimeoutMs: config.indexedTimeout, stored: metrics.stored, acknowledged: metrics.acknowledged, monotonicMs: () => clock.monotonicMs() }),
      inject: [ReceiveObject, AwaitIndexed, IngestPipelineConfig, ListenerMetrics, Clock],
    },
    {
      provide: FindHandler,
      useFactory: ({ aeTitle, maxMatches, upperKeys }: RetrieveConfig, imaging: ImagingDatabase, metrics: Metrics) => {
        const matches = metrics.counter('vna_find_matches_total', 'Matches answered to C-FIND');
        return new FindHandler({
          search: new CatalogSearch(imaging), patients: new PatientSearch(imaging), aeTitle, maxMatches, upperKeysOptional: upperKeys === 'optional',
          counted: (count) => matches.inc(count),
        });
      },
      inject: [RetrieveConfig, ImagingDatabase, Metrics],
    },
    {
      provide: DimseListener,
      useFactory: (
        settings: RetrieveConfig, sources: SourceProfiles, metrics: ListenerMetrics, logger: AppLogger, traces: AssociationTraces, store: StoreHandler, find: FindHandler,
        exchange: AssociationExchange,
      ) => {
        const offered = { services: { echo: () => DimseStatus.success, store, find }, acceptContext, acceptQueryExtensions };
        return new DimseListener({ settings, variables: 'VNA_RETRIEVE', offered, sources, metrics, logger, traces, exchange });
      },
      inject: [RetrieveConfig, SourceProfiles, ListenerMetrics, AppLogger, AssociationTraces, StoreHandler, FindHandler, AssociationExchange],
    },
  ],
  exports: [DimseListener],
})
export class RetrieveModule {}
