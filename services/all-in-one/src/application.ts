// The Nest application of a process group: the platform's ports and the modules of its services.
import 'reflect-metadata';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { NestLogger } from './nest-logger.js';
import { PlatformModule, type PlatformOptions } from './platform.module.js';
import type { RoleName } from './process-groups.js';

/** Loaded only where they run: code that is not loaded takes no memory. */
const moduleOf: Readonly<Record<RoleName, () => Promise<Type>>> = {
  ingest: async () => (await import('@perennia/ingest')).IngestModule,
  indexing: async () => (await import('@perennia/indexing')).IndexingModule,
  lifecycle: async () => (await import('@perennia/lifecycle')).LifecycleModule,
  dicomweb: async () => (await import('@perennia/dicomweb')).DicomwebModule,
  retrieve: async () => (await import('@perennia/retrieve')).RetrieveModule,
};

@Module({})
class GroupModule {}

/** Resolves when every service is ready. */
export async function startApplication(roles: readonly RoleName[], platform: PlatformOptions): Promise<INestApplicationContext> {
  const modules = await Promise.all(roles.map((role) => moduleOf[role]()));
  const root = { module: GroupModule, imports: [PlatformModule.with(platform), ...modules] };
  return NestFactory.createApplicationContext(root, { logger: new NestLogger(platform.log), abortOnError: false });
}
