// The Nest application of a process group: the platform's ports and the modules of its services. A web server only where a
// service speaks HTTP.
import 'reflect-metadata';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DicomwebModule } from '@perennia/dicomweb';
import { IndexingModule } from '@perennia/indexing';
import { IngestModule } from '@perennia/ingest';
import { LifecycleModule } from '@perennia/lifecycle';
import { NestLogger } from './nest-logger.js';
import { PlatformModule, type PlatformOptions } from './platform.module.js';
import type { RoleName } from './process-groups.js';

const moduleOf: Readonly<Record<RoleName, Type>> = {
  ingest: IngestModule,
  indexing: IndexingModule,
  lifecycle: LifecycleModule,
  dicomweb: DicomwebModule,
};

@Module({})
class GroupModule {}

/** Resolves when every service is ready. */
export function startApplication(roles: readonly RoleName[], platform: PlatformOptions): Promise<INestApplicationContext> {
  const root = { module: GroupModule, imports: [PlatformModule.with(platform), ...roles.map((role) => moduleOf[role])] };
  const options = { logger: new NestLogger(platform.log), abortOnError: false };
  return NestFactory.createApplicationContext(root, options);
}
