import type { Plane } from '../job.js';

// $1 id. A queued job ends at once, a running one at its next heartbeat or checkpoint.
export const cancelJob = (plane: Plane): string => `
  update ${plane}.job set cancel_requested = true,
    state = case when state = 'queued' then 'cancelled' else state end,
    finished_at = case when state = 'queued' then now() end
  where id = $1 and state in ('queued', 'running') returning id`;
