import type { Plane } from '../job.js';

// $1 lease owner, $2 id, $3 attempt, $4 cursor, $5 progress (null: as before). In the transaction of the step it stands for.
export const saveCursor = (plane: Plane): string => `
  update ${plane}.job set cursor = $4::jsonb, progress = coalesce($5::jsonb, progress)
  where id = $2 and attempts = $3 and lease_owner = $1 and state = 'running'
  returning cancel_requested as "cancelRequested"`;
