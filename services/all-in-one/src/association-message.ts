// How associations go between processes, as a supervisor sees it: loaded without any of the services.
import type { RoleName } from './process-groups.js';

/** From reception to the supervisor, and from there to the process that serves queries; the socket goes with it. */
export interface AssociationMessage {
  kind: 'association';
  head: string;
  peer: { address: string; port: number };
}

export const isAssociationMessage = (message: unknown): message is AssociationMessage => (message as AssociationMessage | null)?.kind === 'association';

/** Whether the archive has both ends: else each service has its own port. */
export const exchangesAssociations = (roles: readonly RoleName[]): boolean => roles.includes('ingest') && roles.includes('retrieve');
