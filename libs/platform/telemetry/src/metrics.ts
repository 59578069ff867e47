// One Prometheus registry per process; libraries create their metrics on it.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export class Metrics {
  readonly registry = new Registry();

  /** Event-loop lag, memory and CPU of this process. */
  collectProcessMetrics(): void {
    collectDefaultMetrics({ register: this.registry, prefix: 'vna_' });
  }
  /** In the text format of Prometheus. */
  text(): Promise<string> {
    return this.registry.metrics();
  }
  counter(name: string, help: string, labelNames: string[] = []): Counter {
    return (this.registry.getSingleMetric(name) as Counter | undefined) ?? new Counter({ name, help, labelNames, registers: [this.registry] });
  }
  gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return (this.registry.getSingleMetric(name) as Gauge | undefined) ?? new Gauge({ name, help, labelNames, registers: [this.registry] });
  }
  histogram(name: string, help: string, buckets: number[], labelNames: string[] = []): Histogram {
    return (
      (this.registry.getSingleMetric(name) as Histogram | undefined) ?? new Histogram({ name, help, buckets, labelNames, registers: [this.registry] })
    );
  }
}
