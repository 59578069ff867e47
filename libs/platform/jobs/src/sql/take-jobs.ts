import type { Plane } from '../job.js';

// $1 queue, $2 how many, $3 lease owner, $4 lease in ms. Rows that another runner is taking are skipped, not waited for.
export const takeJobs = (plane: Plane): string => `
  with next as (
    select id from ${plane}.job where queue = $1 and state = 'queued' and run_at <= now()
    order by priority desc, run_at limit $2 for update skip locked)
  update ${plane}.job j set state = 'running', lease_owner = $3, lease_until = now() + $4 * interval '1 millisecond', attempts = attempts + 1,
    run_again = false, error_code = null, error = null
  from next where j.id = next.id
  returning j.id, j.queue, j.attempts as attempt, j.payload, j.cursor`;
