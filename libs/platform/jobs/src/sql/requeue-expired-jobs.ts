import type { Plane } from '../job.js';

// $1 queues. A runner that died counts as an attempt: a job that kills its process every time ends as failed.
export const requeueExpiredJobs = (plane: Plane): string => `
  with expired as (
    select id from ${plane}.job where queue = any($1::text[]) and state = 'running' and lease_until < now() for update skip locked)
  update ${plane}.job j set lease_owner = null, lease_until = null,
    state = case when cancel_requested then 'cancelled' when attempts >= max_attempts then 'failed' else 'queued' end,
    error_code = 'LEASE_EXPIRED', error = 'The process that ran it ended or hung.',
    finished_at = case when cancel_requested or attempts >= max_attempts then now() end
  from expired where j.id = expired.id
  returning j.id, j.queue, j.state`;
