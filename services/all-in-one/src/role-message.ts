// What a role process tells its supervisor.
import type { StartFailure } from './start-failure.js';

export type RoleMessage = { kind: 'ready'; identity: string; healthPort: number; controlSecret: string } | { kind: 'failed'; failure: StartFailure };
