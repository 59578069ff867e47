import type { Plane } from '../job.js';

// An active job of the same key is brought forward and gets the newer payload; if it runs already it will run once more,
// since it may have read what it works on before the change that this call is about.
export const enqueueJobs = (plane: Plane): string => `
  insert into ${plane}.job as active (queue, dedupe_key, payload, priority, run_at, max_attempts)
  select queue, dedupe_key, coalesce(payload, '{}'), coalesce(priority, 0), coalesce(run_at, now()), coalesce(max_attempts, 10)
  from json_to_recordset($1::json) as wanted (queue text, dedupe_key text, payload jsonb, priority smallint, run_at timestamptz, max_attempts int)
  on conflict (queue, dedupe_key) where state in ('queued', 'running') do update set
    payload = excluded.payload, priority = greatest(active.priority, excluded.priority), run_at = least(active.run_at, excluded.run_at),
    run_again = active.run_again or active.state = 'running'
  returning id`;
