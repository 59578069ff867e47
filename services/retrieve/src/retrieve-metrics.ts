// What queries and retrieval count.
import type { Metrics } from '@perennia/telemetry';

type Counter = ReturnType<Metrics['counter']>;

export class RetrieveMetrics {
  readonly matches: Counter;
  readonly sent: Counter;

  constructor(metrics: Metrics) {
    this.matches = metrics.counter('vna_find_matches_total', 'Matches answered to C-FIND');
    this.sent = metrics.counter('vna_objects_sent_total', 'Objects that a peer answered, by what asked for them', ['operation']);
  }
}
