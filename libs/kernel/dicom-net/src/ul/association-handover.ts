// An association that another process serves: what the application decides, and what it gets of the connection. The process that was
// connected to has read the request and nothing else; the one that serves it takes both with `DicomAcceptor.handleSocket`.
import type { Socket } from 'node:net';

export interface BegunConnection {
  /**
   * Open, and not read from any more. Whoever gets it sends it, with `send` of a child process, or destroys it. A process in between sends it on
   * at once, since Node reads from it there; who takes it gets none where the peer has closed it on the way.
   */
  readonly socket: Socket;
  /** The A-ASSOCIATE-RQ PDU as it came (PS3.8 §9.3.2). */
  readonly head: Buffer;
}

export interface AssociationHandover {
  readonly accept: 'elsewhere';
  /** Called once, at once, when nobody here holds the connection any more; not at all when the peer has gone meanwhile. A throw closes it. */
  handOver(connection: BegunConnection): void;
}
