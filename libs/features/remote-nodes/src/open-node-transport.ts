// A connected transport to a remote node, plain or secured as the node wants it: for `connect` of DicomRequestor.
import type { Duplex } from 'node:stream';
import { UnavailableError } from '@perennia/errors';
import type { Clock } from '@perennia/telemetry';
import { connectNode, type NodeAddress } from './stages/connect-node.js';
import type { SecurityOptions } from './stages/secure-transport.js';
import { StageFailure } from './stages/stage-failure.js';
import { StageLog } from './stages/stage-log.js';

export interface NodeTransportOptions extends SecurityOptions {
  readonly clock: Clock;
  /** How long finding the address, connecting and the TLS handshake may take, each, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

/** @throws UnavailableError that says which step failed and what to do */
export async function openNodeTransport(node: NodeAddress, { clock, timeoutMs = 10_000, ...security }: NodeTransportOptions): Promise<Duplex> {
  const end = new AbortController();
  try {
    return await connectNode(node, new StageLog(clock, timeoutMs), end.signal, security);
  } catch (error) {
    end.abort();
    if (!(error instanceof StageFailure)) throw error;
    throw new UnavailableError(error.found, { remedy: error.remedy, cause: error });
  }
}
