// Readiness as metrics, so that an alert can tell what is missing, also where a process does its work without it for a while.
import { Watch, type Clock, type HealthRegistry, type Metrics } from '@perennia/telemetry';

/** Looks at once, and again and again until it is stopped. */
export function watchHealth(health: HealthRegistry, metrics: Metrics, clock: Clock): Watch {
  const ready = metrics.gauge('vna_ready', '1 while a process can do its work');
  const check = metrics.gauge('vna_health_check', '1 for what a process finds in order, 0 for what it misses', ['check']);
  const watch = new Watch(clock, async () => {
    const report = await health.ready();
    ready.set(report.ok ? 1 : 0);
    for (const [name, { ok }] of Object.entries(report.checks)) check.set({ check: name }, ok ? 1 : 0);
  });
  watch.start();
  return watch;
}
