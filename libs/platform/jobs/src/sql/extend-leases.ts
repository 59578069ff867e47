import type { Plane } from '../job.js';

// $1 lease owner, $2 ids, $3 attempts, $4 lease in ms. What does not come back has been lost to another runner.
export const extendLeases = (plane: Plane): string => `
  update ${plane}.job j set lease_until = now() + $4 * interval '1 millisecond'
  from unnest($2::uuid[], $3::int[]) as held (id, attempt)
  where j.id = held.id and j.attempts = held.attempt and j.lease_owner = $1 and j.state = 'running'
  returning j.id, j.cancel_requested as "cancelRequested"`;
