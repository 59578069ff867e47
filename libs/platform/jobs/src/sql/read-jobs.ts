import type { Plane } from '../job.js';

// $1 id or null, $2 queue or null, $3 state or null, $4 limit. Newest first.
export const readJobs = (plane: Plane): string => `
  select id, queue, dedupe_key as "dedupeKey", state, priority, attempts, run_at as "runAt", payload, cursor, progress,
         error_code as "errorCode", error
  from ${plane}.job
  where ($1::uuid is null or id = $1) and ($2::text is null or queue = $2) and ($3::text is null or state = $3)
  order by created_at desc, id limit $4`;
