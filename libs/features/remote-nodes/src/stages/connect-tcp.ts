// A TCP connection to the first of several addresses that takes one.
import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { errorCode, StageFailure } from './stage-failure.js';

export interface TcpTarget {
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly LookupAddress[];
}

/** The socket ends with the signal. Its errors are told by its end too: whoever has it next is not surprised by one. @throws StageFailure */
export async function connectTcp({ host, port, addresses }: TcpTarget, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true, signal, autoSelectFamily: true, lookup: (_host, _options, done) => done(null, [...addresses]) });
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    throw connectFailure(host, port, errorCode(error));
  }
}

const UNREACHABLE = ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'EADDRNOTAVAIL'];

/** Codes of connect(2). */
export function connectFailure(host: string, port: number, code: string): StageFailure {
  if (code === 'ECONNREFUSED') return new StageFailure(`Nothing listens on port ${port} of ${host}`, 'Start the DICOM service of the node, or correct the port');
  if (code === 'ETIMEDOUT') return connectLate(host, port);
  if (UNREACHABLE.includes(code)) return new StageFailure(`There is no way to ${host} (${code})`, 'Look at the address, at routes and at firewalls on the way');
  if (code === 'EACCES' || code === 'EPERM') return new StageFailure(`This machine may not connect to ${host} (${code})`, 'Look at the firewall of this machine');
  return new StageFailure(`The connection to ${host}, port ${port}, failed (${code})`, 'Look at the node and at the network on the way');
}

export const connectLate = (host: string, port: number): StageFailure =>
  new StageFailure(`${host} did not answer on port ${port}`, 'A wrong address, or a firewall that drops what it does not allow: have the port opened for this machine');
