// The DICOMweb service: search, retrieval and storage over HTTP. It owns its listener; whoever composes the process gives the
// ports (databases, store, landing area, event log, clock, metrics, logger).
import { Injectable, Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { CatalogSearch, ChangeFeed } from '@perennia/catalog-query';
import { CodecPool, PixelDecoding } from '@perennia/pixel-codecs';
import { Decoding, EgressModule, GiveInstances, InstanceDirectory, ObjectFeed, ReadBulkData, ReadFrames, ReadInstance, RetrieveInstances, SeriesMetadata } from '@perennia/egress';
import { AwaitIndexed, IngestPipelineConfig, IngestPipelineModule, ReceiveObject, SourceProfiles } from '@perennia/ingest-pipeline';
import { isTestBuild } from '@perennia/fault-points';
import { ImagingDatabase } from '@perennia/persistence';
import { ObjectStore, PlaceReader } from '@perennia/storage';
import { AppLogger, Clock, HealthRegistry, Metrics, Tracing } from '@perennia/telemetry';
import { BaseUrl } from './base-url.js';
import { BulkDataController } from './bulk-data.controller.js';
import { ChangeFollowers } from './change-followers.js';
import { ChangesController } from './changes.controller.js';
import { DicomwebServer, type RouteSource } from './dicomweb-server.js';
import { DicomwebConfig } from './dicomweb.config.js';
import { FramesController } from './frames.controller.js';
import { MetadataController } from './metadata.controller.js';
import { Part10Answers } from './part10-answers.js';
import { QidoController } from './qido.controller.js';
import { RequestTraces } from './request-traces.js';
import { RetrieveController } from './retrieve.controller.js';
import { StowController } from './stow.controller.js';
import { WadoUriController } from './wado-uri.controller.js';
import { warmUp } from './warm-up.js';
import { ZipAnswer } from './zip-answer.js';

const CONTROLLERS = [QidoController, RetrieveController, WadoUriController, MetadataController, FramesController, BulkDataController, ChangesController, StowController];

@Injectable()
class DicomwebLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private listening = false;

  constructor(
    private readonly server: DicomwebServer,
    private readonly clock: Clock,
    private readonly codecs: CodecPool,
    health: HealthRegistry,
  ) {
    health.addReadiness('dicomweb-server', () => (this.listening ? undefined : 'not listening yet'));
  }

  async onApplicationBootstrap(): Promise<void> {
    // Fault points are for objects of senders: a test build does without.
    if (!isTestBuild) await warmUp(this.clock);
    await this.server.start();
    this.listening = true;
  }

  /** Before the pipeline ends: uploads in flight are answered first. */
  async beforeApplicationShutdown(): Promise<void> {
    this.listening = false;
    await this.server.stop();
    await this.codecs.close();
  }
}

@Module({
  imports: [IngestPipelineModule, EgressModule],
  providers: [
    DicomwebLifecycle,
    { provide: RequestTraces, useFactory: (tracing: Tracing) => new RequestTraces(tracing), inject: [Tracing] },
    { provide: BaseUrl, useFactory: (config: DicomwebConfig) => new BaseUrl(config), inject: [DicomwebConfig] },
    { provide: CatalogSearch, useFactory: (imaging: ImagingDatabase) => new CatalogSearch(imaging), inject: [ImagingDatabase] },
    { provide: ChangeFeed, useFactory: (imaging: ImagingDatabase) => new ChangeFeed(imaging), inject: [ImagingDatabase] },
    {
      provide: ChangeFollowers,
      useFactory: (config: DicomwebConfig, feed: ChangeFeed, clock: Clock) => {
        const { tenantId, maxFollowers, changesHeartbeat, writeIdleTimeout } = config;
        return new ChangeFollowers(feed, clock, { tenantId, maxFollowers, heartbeatMs: Math.min(changesHeartbeat, writeIdleTimeout / 2) });
      },
      inject: [DicomwebConfig, ChangeFeed, Clock],
    },
    { provide: CodecPool, useFactory: () => new CodecPool() },
    {
      provide: Decoding,
      useFactory: (directory: InstanceDirectory, read: ReadInstance, pool: CodecPool) => new Decoding(directory, read, new PixelDecoding(pool)),
      inject: [InstanceDirectory, ReadInstance, CodecPool],
    },
    {
      provide: GiveInstances,
      useFactory: (read: ReadInstance, places: PlaceReader, feed: ObjectFeed, decoding: Decoding) => new GiveInstances(new RetrieveInstances(read, places), feed, decoding),
      inject: [ReadInstance, PlaceReader, ObjectFeed, Decoding],
    },
    { provide: Part10Answers, useFactory: (give: GiveInstances, { tenantId }: DicomwebConfig) => new Part10Answers(give, tenantId), inject: [GiveInstances, DicomwebConfig] },
    { provide: ZipAnswer, useFactory: (give: GiveInstances, { tenantId }: DicomwebConfig) => new ZipAnswer(give, tenantId), inject: [GiveInstances, DicomwebConfig] },
    { provide: ReadFrames, useFactory: (read: ReadInstance) => new ReadFrames(read), inject: [ReadInstance] },
    { provide: ReadBulkData, useFactory: (read: ReadInstance) => new ReadBulkData(read), inject: [ReadInstance] },
    {
      provide: SeriesMetadata,
      useFactory: (directory: InstanceDirectory, read: ReadInstance, store: ObjectStore) => new SeriesMetadata(directory, read, store),
      inject: [InstanceDirectory, ReadInstance, ObjectStore],
    },
    {
      provide: QidoController,
      useFactory: (config: DicomwebConfig, search: CatalogSearch, baseUrl: BaseUrl) => new QidoController(config, search, baseUrl),
      inject: [DicomwebConfig, CatalogSearch, BaseUrl],
    },
    {
      provide: RetrieveController,
      useFactory: (config: DicomwebConfig, directory: InstanceDirectory, answers: Part10Answers, zip: ZipAnswer, baseUrl: BaseUrl, { decodes }: Decoding) =>
        new RetrieveController(config, directory, answers, zip, baseUrl, decodes),
      inject: [DicomwebConfig, InstanceDirectory, Part10Answers, ZipAnswer, BaseUrl, Decoding],
    },
    {
      provide: WadoUriController,
      useFactory: (config: DicomwebConfig, directory: InstanceDirectory, answers: Part10Answers, { decodes }: Decoding) => new WadoUriController(config, directory, answers, decodes),
      inject: [DicomwebConfig, InstanceDirectory, Part10Answers, Decoding],
    },
    {
      provide: MetadataController,
      useFactory: (config: DicomwebConfig, directory: InstanceDirectory, metadata: SeriesMetadata, baseUrl: BaseUrl) => new MetadataController(config, directory, metadata, baseUrl),
      inject: [DicomwebConfig, InstanceDirectory, SeriesMetadata, BaseUrl],
    },
    {
      provide: FramesController,
      useFactory: (config: DicomwebConfig, directory: InstanceDirectory, frames: ReadFrames) => new FramesController(config, directory, frames),
      inject: [DicomwebConfig, InstanceDirectory, ReadFrames],
    },
    {
      provide: BulkDataController,
      useFactory: (config: DicomwebConfig, directory: InstanceDirectory, bulkData: ReadBulkData, frames: ReadFrames) => new BulkDataController(config, directory, bulkData, frames),
      inject: [DicomwebConfig, InstanceDirectory, ReadBulkData, ReadFrames],
    },
    {
      provide: ChangesController,
      useFactory: (config: DicomwebConfig, feed: ChangeFeed, followers: ChangeFollowers, baseUrl: BaseUrl) => new ChangesController(config, feed, followers, baseUrl),
      inject: [DicomwebConfig, ChangeFeed, ChangeFollowers, BaseUrl],
    },
    {
      provide: StowController,
      useFactory: (
        config: DicomwebConfig, pipeline: IngestPipelineConfig, receive: ReceiveObject, indexed: AwaitIndexed, sources: SourceProfiles, baseUrl: BaseUrl, clock: Clock,
        traces: RequestTraces,
      ) => new StowController({ config, pipeline, receive, indexed, sources, baseUrl, clock, traces }),
      inject: [DicomwebConfig, IngestPipelineConfig, ReceiveObject, AwaitIndexed, SourceProfiles, BaseUrl, Clock, RequestTraces],
    },
    {
      provide: DicomwebServer,
      useFactory: (
        config: DicomwebConfig,
        logger: AppLogger,
        metrics: Metrics,
        clock: Clock,
        traces: RequestTraces,
        ...controllers: RouteSource[]
      ) => new DicomwebServer({ config, logger, metrics, clock, traces, controllers }),
      inject: [DicomwebConfig, AppLogger, Metrics, Clock, RequestTraces, ...CONTROLLERS],
    },
  ],
  exports: [DicomwebServer],
})
export class DicomwebModule {}
