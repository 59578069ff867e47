// Reads of all connections land in one buffer, which the listener has until it returns. With a fresh 64 KiB for every read, as
// `data` events have it, receiving costs several times the processor: page faults, and full collections that memory outside of the heap
// sets off. `onread` is public only for sockets that connect; for accepted ones the handle is taken over, and where Node does not show
// it the connection works all the same, by `data` events (docs/adr/0009).
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

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

  /** @param accepted by a server with `pauseOnConnect`; nothing has been read from it */
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

/** From now on every chunk is told, as long as the transport is not paused. Its memory is not to be kept. */
export function readChunks(transport: Duplex, listener: (chunk: Buffer) => void): void {
  if (transport instanceof SharedReadSocket) transport.onChunk = listener;
  else transport.on('data', listener);
  transport.resume();
}
