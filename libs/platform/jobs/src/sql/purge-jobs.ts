import type { Plane } from '../job.js';

// $1 age in days, $2 how many at most.
export const purgeJobs = (plane: Plane): string => `
  delete from ${plane}.job where id in (
    select id from ${plane}.job where state in ('done', 'failed', 'cancelled') and finished_at < now() - $1 * interval '1 day' limit $2)
  returning id`;
