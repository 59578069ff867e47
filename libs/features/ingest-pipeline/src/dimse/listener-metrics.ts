// What a DICOM listener counts.
import type { Metrics } from '@perennia/telemetry';

export type Counter = ReturnType<Metrics['counter']>;
export type Histogram = ReturnType<Metrics['histogram']>;

const ACKNOWLEDGE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export class ListenerMetrics {
  readonly stored: Counter;
  readonly acknowledged: Histogram;
  readonly associations: Counter;

  constructor(metrics: Metrics) {
    this.stored = metrics.counter('vna_objects_stored_total', 'Objects acknowledged with success over C-STORE');
    this.acknowledged = metrics.histogram('vna_acknowledge_seconds', 'From the C-STORE command to its response', ACKNOWLEDGE_SECONDS);
    this.associations = metrics.counter('vna_associations_total', 'Association requests by how they ended', ['outcome']);
  }
}
