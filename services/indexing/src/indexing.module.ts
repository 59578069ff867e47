// Turns receipts of the log into the catalogue, and tells the log what changed in it.
import { Injectable, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { INSTANCE_RECEIVED } from '@perennia/contracts';
import { ConsumerRunner, DeadLetterReplays, DeadLetters, EventLog, LagWatch, OutboxRelay, OutboxWriter, QueueWatch } from '@perennia/messaging';
import { CatalogueStatistics, ControlDatabase, ImagingDatabase } from '@perennia/persistence';
import { PlaceReader } from '@perennia/storage';
import { AppLogger, Clock, Metrics, Tracing } from '@perennia/telemetry';
import { IndexBatch } from './index-batch.js';
import { INDEXING_GROUP, IndexReceipts } from './index-receipts.js';
import { IndexedNotice } from './indexed-notice.js';
import { IndexingConfig } from './indexing.config.js';
import { PatientDirectory } from './patient-directory.js';
import { ReceiptConsumer } from './receipt-consumer.js';

@Injectable()
class IndexingLifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly consumer: ReceiptConsumer,
    private readonly relay: OutboxRelay,
    private readonly lag: LagWatch,
    private readonly queues: QueueWatch,
    private readonly replays: DeadLetterReplays,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.relay.start();
    await this.consumer.start();
    this.lag.start();
    this.queues.start();
    this.replays.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.replays.stop();
    await this.queues.stop();
    await this.lag.stop();
    await this.consumer.stop();
    await this.relay.stop();
  }
}

@Module({
  providers: [
    IndexingLifecycle,
    { provide: PatientDirectory, useFactory: (control: ControlDatabase) => new PatientDirectory(control), inject: [ControlDatabase] },
    {
      provide: IndexBatch,
      useFactory: (imaging: ImagingDatabase, patients: PatientDirectory, clock: Clock) => new IndexBatch(imaging, patients, new OutboxWriter('imaging'), clock),
      inject: [ImagingDatabase, PatientDirectory, Clock],
    },
    { provide: IndexReceipts, useFactory: (indexer: IndexBatch, tracing: Tracing) => new IndexReceipts(indexer, tracing), inject: [IndexBatch, Tracing] },
    {
      provide: OutboxRelay,
      useFactory: (imaging: ImagingDatabase, eventLog: EventLog, clock: Clock, log: AppLogger) => new OutboxRelay(imaging, eventLog, clock, log),
      inject: [ImagingDatabase, EventLog, Clock, AppLogger],
    },
    {
      provide: DeadLetters,
      useFactory: (control: ControlDatabase, eventLog: EventLog, clock: Clock) => new DeadLetters(control, eventLog, clock),
      inject: [ControlDatabase, EventLog, Clock],
    },
    { provide: DeadLetterReplays, useFactory: (letters: DeadLetters, clock: Clock, log: AppLogger) => new DeadLetterReplays(letters, clock, log), inject: [DeadLetters, Clock, AppLogger] },
    {
      provide: QueueWatch,
      useFactory: (control: ControlDatabase, imaging: ImagingDatabase, metrics: Metrics, clock: Clock) => new QueueWatch(control, imaging, metrics, clock),
      inject: [ControlDatabase, ImagingDatabase, Metrics, Clock],
    },
    {
      provide: LagWatch,
      useFactory: (eventLog: EventLog, metrics: Metrics, clock: Clock) => new LagWatch(eventLog, metrics, clock, { topic: INSTANCE_RECEIVED, group: INDEXING_GROUP }),
      inject: [EventLog, Metrics, Clock],
    },
    {
      provide: ConsumerRunner,
      useFactory: (eventLog: EventLog, deadLetters: DeadLetters, metrics: Metrics, clock: Clock, log: AppLogger) =>
        new ConsumerRunner({ eventLog, deadLetters, metrics, clock, log }),
      inject: [EventLog, DeadLetters, Metrics, Clock, AppLogger],
    },
    {
      provide: ReceiptConsumer,
      useFactory: (
        runner: ConsumerRunner, indexer: IndexReceipts, reader: PlaceReader, imaging: ImagingDatabase, clock: Clock, metrics: Metrics, log: AppLogger,
        { batchReceipts }: IndexingConfig,
      ) => new ReceiptConsumer({
        runner, indexer, reader, notice: new IndexedNotice(imaging, clock, log), statistics: new CatalogueStatistics(imaging), clock, metrics, log, batchReceipts,
      }),
      inject: [ConsumerRunner, IndexReceipts, PlaceReader, ImagingDatabase, Clock, Metrics, AppLogger, IndexingConfig],
    },
  ],
})
export class IndexingModule {}
