// Whether a process records traces, and with what.
import { hostname } from 'node:os';
import type { EffectiveConfig } from '@perennia/config';
import { NoTracing, type Metrics, type Tracing } from '@perennia/telemetry';
import { TelemetryConfig } from '@perennia/telemetry/telemetry.config';
import { thisRelease } from './data-format.js';

export interface TracingOptions {
  config: EffectiveConfig;
  /** Of the process group; the service is called `perennia-<group>`. */
  group: string;
  metrics: Metrics;
}

/** Loaded only where it is used: code that is not loaded takes no memory. @throws ConfigurationError when the file of headers is of no use */
export async function openTracing({ config, group, metrics }: TracingOptions): Promise<Tracing> {
  const { endpoint, headersFile, sampleRatio } = config.get(TelemetryConfig);
  if (endpoint === undefined) return new NoTracing();
  const { OtlpTracing, readHeaders } = await import('@perennia/tracing-otlp');
  return new OtlpTracing({
    endpoint, sampleRatio, headers: headersFile === undefined ? {} : readHeaders(headersFile), serviceName: `perennia-${group}`, serviceVersion: thisRelease,
    serviceInstance: `${hostname()}/${process.pid}`, metrics,
  });
}
