// Writes multipart/related (PS3.18 §8.6.1.2.1) with back-pressure. The length of the whole body can be told before the
// first byte, so that answers carry Content-Length and a client notices when one was cut short.
import type { Writable } from 'node:stream';

export interface MultipartPart {
  /** Header lines without line breaks: `Content-Type: application/dicom`. */
  headers: readonly string[];
}

export class MultipartWriter {
  #first = true;

  constructor(
    private readonly sink: Writable,
    readonly boundary: string,
  ) {}

  /** Bytes around the bodies of parts with these headers, the final delimiter included. */
  static framingBytes(boundary: string, parts: readonly MultipartPart[]): number {
    const head = parts.reduce((sum, part, index) => sum + headOf(boundary, part, index === 0).length, 0);
    return head + tailOf(boundary, parts.length > 0).length;
  }

  /** The delimiter and headers that stand before the next part's body; to be written together with its first bytes. */
  beginPart(part: MultipartPart): Buffer {
    const head = headOf(this.boundary, part, this.#first);
    this.#first = false;
    return head;
  }

  /**
   * Writes the buffers as one system call where the sink can. Resolves when they have left this process, so that their memory
   * may be used again. @throws when the sink was closed
   */
  write(buffers: readonly Uint8Array[]): Promise<void> {
    const { sink } = this;
    if (sink.destroyed) return Promise.reject(new Error('The receiver closed the connection'));
    return new Promise((resolve, reject) => {
      const settle = (error?: Error | null): void => {
        sink.off('close', onClose);
        if (error) reject(error);
        else resolve();
      };
      const onClose = (): void => settle(new Error('The receiver closed the connection'));
      sink.on('close', onClose);
      // The socket, not the HTTP message: corked itself, a message without Content-Length may wait for a drain that never comes.
      const corked = (sink as { socket?: Writable | null }).socket ?? sink;
      corked.cork();
      const last = buffers.length - 1;
      buffers.forEach((buffer, index) => sink.write(buffer, index === last ? settle : undefined));
      corked.uncork();
    });
  }

  /** Writes the final delimiter and ends the sink. */
  end(): void {
    this.sink.end(tailOf(this.boundary, !this.#first));
  }
}

const headOf = (boundary: string, part: MultipartPart, first: boolean): Buffer =>
  Buffer.from(`${first ? '' : '\r\n'}--${boundary}\r\n${part.headers.join('\r\n')}\r\n\r\n`, 'latin1');
const tailOf = (boundary: string, afterPart: boolean): Buffer => Buffer.from(`${afterPart ? '\r\n' : ''}--${boundary}--\r\n`, 'latin1');
