// The allow list of a move destination.
import type { RemoteNodeSettings } from './remote-node.js';

/** Whether a caller, who is a known source, may have objects moved there. */
export const permitsMove = ({ moveCallers }: Pick<RemoteNodeSettings, 'moveCallers'>, callingAet: string): boolean =>
  moveCallers.length === 0 || moveCallers.includes(callingAet);
