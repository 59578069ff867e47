// Nest's own words through our logger: only what asks for attention, in the same JSON lines.
import type { LoggerService } from '@nestjs/common';
import type { Logger } from '@perennia/telemetry';

export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(): void {
    // Wiring messages ("InstanceLoader … initialized") say nothing to an administrator.
  }
  warn(message: unknown, context?: unknown): void {
    this.logger.warn({ context }, String(message));
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.logger.error({ context: rest.at(-1) }, String(message));
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.logger.fatal({ context: rest.at(-1) }, String(message));
  }
}
