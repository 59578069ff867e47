// What an acceptor reports, for logs, metrics and the list of refused peers. Nothing per message: that is the service's.
import type { AssociationAbort } from './abort-reason.js';
import type { PeerAddress } from './peer-address.js';
import type { AssociationRejection } from './reject-reason.js';

interface Named {
  readonly associationId: number;
  readonly callingAet: string;
  readonly calledAet: string;
  readonly peer: PeerAddress;
}

export type AcceptorEvent =
  | ({ readonly type: 'accepted'; readonly acceptedContexts: number; readonly refusedContexts: number } & Named)
  | ({ readonly type: 'rejected'; readonly rejection: AssociationRejection } & Named)
  /** Another process serves it; the last that is told of it here. */
  | ({ readonly type: 'handed-over'; readonly proposedContexts: number } & Named)
  | ({ readonly type: 'released' } & Named)
  /** `by` says which side ended it; `detail` is a plain sentence without patient data. */
  | ({ readonly type: 'aborted'; readonly by: 'us' | 'peer' | 'transport'; readonly abort: AssociationAbort; readonly detail: string } & Named)
  /** A request was answered with a status of ours before any service saw it. */
  | ({ readonly type: 'refused-operation'; readonly commandField: number; readonly status: number } & Named)
  /** The connection limit was reached and a socket was closed unread. */
  | { readonly type: 'refused-connection'; readonly peer: PeerAddress }
  /** A callback of the application threw: a defect of ours, the peer got a defined answer. */
  | ({ readonly type: 'failure'; readonly error: unknown } & Named);
