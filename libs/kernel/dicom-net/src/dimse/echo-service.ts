// The seam of C-ECHO (PS3.7 §9.1.5): returns the status to answer, success unless it says otherwise.
import type { PeerAddress } from '../ul/peer-address.js';

export interface EchoRequest {
  readonly callingAet: string;
  readonly calledAet: string;
  readonly peer: PeerAddress;
  readonly associationId: number;
  readonly messageId: number;
  readonly session: unknown;
}

export type EchoService = (request: EchoRequest) => number | Promise<number>;
