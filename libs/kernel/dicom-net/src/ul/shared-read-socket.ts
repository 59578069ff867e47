// Reads of all connections land in one buffer, which the listener has until it returns. With a fresh 64 KiB for every read, as
// `data` events have it, receiving costs several times the processor: page faults, and full collections that memory outside of the heap
// sets off. `onread` is public only for sockets that connect; for accepted ones the handle is taken over, and where Node does not show
// it the connection works all the same, by `data` events (docs/adr/0009).
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/** A CT image of 512 × 512 with its header comes in two reads; with 256 KiB the last bytes of many needed a third. */
export const READ_BUFFER_BYTES = 272 * 1024;
let shared: Buffer | undefined;

export class SharedReadSocket extends Socket {
  /** The chunk is valid until this returns. */
  onChunk: (chunk: Buffer) => void = () => undefined;

  private constructor(handle: object) {
    const buffer = (shared ??= Buffer.allocUnsafeSlow(READ_BUFFER_BYTES));
    const callback = (bytes: number): boolean => {
      this.onChunk(buffer.subarray(0, bytes));
      return true;
    };
    const options = { handle, onread: { buffer, callback } };
    super(options as object);
  }

  /** @param accepted by a server with `pauseOnConnect`, or another of which nothing that was read is left */
  static of(accepted: Socket): Socket {
    const holder = accepted as unknown as { _handle?: object | null };
    const handle = holder._handle;
    if (!handle) return accepted;
    holder._handle = null;
    // Lets go of the server, which would count it as open.
    accepted.destroy();
    return new SharedReadSocket(handle);
  }
}

/** From now on every chunk is told, as long as the transport is not paused. Its memory is not to be kept. Returns what ends that. */
export function readChunks(transport: Duplex, listener: (chunk: Buffer) => void): () => void {
  if (transport instanceof SharedReadSocket) transport.onChunk = listener;
  else transport.on('data', listener);
  transport.resume();
  return () => {
    if (transport instanceof SharedReadSocket) transport.onChunk = () => undefined;
    else transport.off('data', listener);
  };
}

/**
 * The same connection, of which no byte is read any more: a socket with `data` events that is paused goes on to fill its own buffer, and what
 * stands there is lost for another process.
 */
export function stopReading(socket: Socket): Socket {
  const stopped = socket instanceof SharedReadSocket ? socket : SharedReadSocket.of(socket);
  return stopped.pause();
}

/** What TLS has agreed on stands in one process only. */
export function isPlainTcp(transport: Duplex): transport is Socket {
  return transport instanceof Socket && !(transport instanceof TLSSocket);
}
