// The DICOMweb and indexing services in this process, on a database, landing area and object store of their own.
import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module, type INestApplicationContext, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DicomwebConfig, DicomwebModule, DicomwebServer } from '@perennia/dicomweb';
import { PostgresEventLog } from '@perennia/event-log-postgres';
import { IndexingConfig, IndexingModule } from '@perennia/indexing';
import { IngestPipelineConfig, LandingOwner, SourcesConfig } from '@perennia/ingest-pipeline';
import { FileLanding, LandingFileReader } from '@perennia/landing-file';
import { EventLog } from '@perennia/messaging';
import { FsObjectStore } from '@perennia/object-store-fs';
import { ControlDatabase, ImagingDatabase } from '@perennia/persistence';
import { Landing, ObjectStore, PlaceReader, StorageTiers, TieredPlaceReader } from '@perennia/storage';
import { LandingConfig } from '@perennia/storage/landing.config';
import { AppLogger, Clock, createLogger, HealthRegistry, Metrics, NoTracing, SystemClock, Tracing } from '@perennia/telemetry';
import { cloneTemplateDatabase, type TestDatabase } from '@perennia/testing';

@Module({})
class PortsModule {}
@Module({})
class RootModule {}

export interface StowPart {
  bytes: Buffer | string;
  contentType?: string;
}

export class WebArchive {
  private constructor(
    readonly database: TestDatabase,
    readonly directory: string,
    readonly landing: FileLanding,
    readonly store: FsObjectStore,
    private readonly eventLog: PostgresEventLog,
    private readonly context: INestApplicationContext,
    readonly port: number,
    readonly logLines: string[],
  ) {}

  static async start(settings: Parameters<typeof DicomwebConfig.with>[0] = {}, sources: Parameters<typeof SourcesConfig.with>[0] = {}): Promise<WebArchive> {
    const clock = new SystemClock();
    const database = await cloneTemplateDatabase({ poolSize: 8 });
    const directory = mkdtempSync(join(tmpdir(), 'perennia-web-'));
    const logLines: string[] = [];
    const log = createLogger('web-test', { level: 'info', destination: { write: (line) => void logLines.push(line) } });
    const eventLog = await PostgresEventLog.open({ url: database.url, log, clock });
    const store = await FsObjectStore.open({ directory: join(directory, 'objects') });
    const tiers = StorageTiers.single('hot', store);
    const landing = await FileLanding.open({ directory: join(directory, 'landing'), owner: 'web', clock, segmentBytes: 16 * 1024 * 1024, segments: 4, reserveBytes: 0 });
    const providers: Provider[] = [
      { provide: ControlDatabase, useValue: database.control },
      { provide: ImagingDatabase, useValue: database.imaging },
      { provide: EventLog, useValue: eventLog },
      { provide: ObjectStore, useValue: store },
      { provide: StorageTiers, useValue: tiers },
      { provide: PlaceReader, useValue: new TieredPlaceReader(new LandingFileReader(join(directory, 'landing')), tiers) },
      { provide: Landing, useValue: landing },
      { provide: LandingOwner, useValue: new LandingOwner('web') },
      { provide: Clock, useValue: clock },
      { provide: Metrics, useValue: new Metrics() },
      { provide: HealthRegistry, useValue: new HealthRegistry() },
      { provide: Tracing, useValue: new NoTracing() },
      { provide: AppLogger, useValue: log },
      { provide: DicomwebConfig, useValue: DicomwebConfig.with({ port: 0, ...settings }) },
      { provide: LandingConfig, useValue: LandingConfig.with({}) },
      { provide: IngestPipelineConfig, useValue: IngestPipelineConfig.with({}) },
      { provide: SourcesConfig, useValue: SourcesConfig.with(sources) },
      { provide: IndexingConfig, useValue: IndexingConfig.with({}) },
    ];
    const ports = { module: PortsModule, global: true, providers, exports: providers.map((provider) => (provider as { provide: typeof Clock }).provide) };
    const context = await NestFactory.createApplicationContext({ module: RootModule, imports: [ports, IndexingModule, DicomwebModule] }, { logger: false, abortOnError: false });
    return new WebArchive(database, directory, landing, store, eventLog, context, context.get(DicomwebServer).port, logLines);
  }

  get root(): string {
    return `http://127.0.0.1:${this.port}/dicom-web`;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.root + path, { headers });
  }

  async json(path: string): Promise<Record<string, { vr: string; Value?: unknown[]; BulkDataURI?: string }>[]> {
    const response = await this.get(path);
    if (response.status === 204) return [];
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, { vr: string; Value?: unknown[]; BulkDataURI?: string }>[];
  }

  stow(parts: readonly (Buffer | StowPart)[], path = '/studies', headers: Record<string, string> = {}): Promise<Response> {
    const body = Buffer.concat([
      ...parts.flatMap((part) => {
        const { bytes, contentType = 'application/dicom' } = Buffer.isBuffer(part) ? { bytes: part } : part;
        return [Buffer.from(`--part\r\nContent-Type: ${contentType}\r\n\r\n`), Buffer.from(bytes), Buffer.from('\r\n')];
      }),
      Buffer.from('--part--\r\n'),
    ]);
    return fetch(this.root + path, { method: 'POST', body, headers: { 'content-type': 'multipart/related; type="application/dicom"; boundary=part', accept: 'application/dicom+json', ...headers } });
  }

  async stop(): Promise<void> {
    await this.context.close();
    await this.eventLog.close();
    await this.landing.close();
    await this.store.close();
    await this.database.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
