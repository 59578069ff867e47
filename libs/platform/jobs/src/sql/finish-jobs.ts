import type { Plane } from '../job.js';

// $1 lease owner, $2 outcomes [{id, attempt, state, delay_ms, error_code, error, count}]. Outcome 'queued' is another attempt
// (a failed one while attempts are left, or one that was only interrupted and does not count). Whoever lost the lease
// changes nothing.
export const finishJobs = (plane: Plane): string => `
  with outcome as (
    select * from json_to_recordset($2::json) as o (id uuid, attempt int, state text, delay_ms float8, error_code text, error text, counts boolean)),
  decided as (
    select o.*, case
      when j.cancel_requested and o.state <> 'done' then 'cancelled'
      when o.state = 'queued' and o.counts and j.attempts >= j.max_attempts then 'failed'
      when o.state = 'done' and j.run_again and not j.cancel_requested then 'queued'
      else o.state end as next_state
    from outcome o join ${plane}.job j on j.id = o.id and j.attempts = o.attempt and j.lease_owner = $1 and j.state = 'running'
    order by j.id for update of j)
  update ${plane}.job j set state = d.next_state, lease_owner = null, lease_until = null,
    attempts = case when d.state = 'done' and d.next_state = 'queued' then 0 when not d.counts then j.attempts - 1 else j.attempts end,
    cursor = case when d.state = 'done' then null else j.cursor end,
    run_again = false,
    run_at = case when d.next_state = 'queued' then now() + d.delay_ms * interval '1 millisecond' else j.run_at end,
    error_code = d.error_code, error = d.error,
    finished_at = case when d.next_state = 'queued' then null else now() end
  from decided d where j.id = d.id
  returning j.id, j.state`;
