// Section `telemetry`: where traces go. Without an endpoint nothing is recorded and nothing of it is loaded.
import { defineConfig } from '@perennia/config';
import { z } from 'zod';

export class TelemetryConfig extends defineConfig(
  'telemetry',
  z.object({
    endpoint: z
      .url({ protocol: /^https?$/, hostname: /.+/ })
      .optional()
      .meta({
        description: 'Collector of OpenTelemetry that takes OTLP over HTTP as JSON; traces go to `/v1/traces` below it. None: no traces. Variables named `OTEL_…` are not read',
        unit: 'URL', bound: 'http or https',
      }),
    sampleRatio: z
      .number()
      .min(0)
      .max(1)
      .default(0.01)
      .meta({
        description: 'Share of objects, and of requests that read, whose way is recorded. Associations and uploads are recorded always; requests with a `traceparent` as their caller wishes',
        unit: 'share', bound: '0 to 1',
      }),
    headersFile: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'File of headers that the collector asks for, `name: value` in each line', unit: 'path', bound: 'a readable file' }),
  }),
) {}
