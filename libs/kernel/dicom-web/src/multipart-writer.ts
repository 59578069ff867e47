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

  /** Writes the buffers as one system call where the sink can; resolves when the sink wants more. @throws when the sink was closed */
  async write(buffers: readonly Uint8Array[]): Promise<void> {
    const { sink } = this;
    if (sink.destroyed) throw new Error('The receiver closed the connection');
    sink.cork();
    let open = true;
    for (const buffer of buffers) open = sink.write(buffer);
    sink.uncork();
    if (!open) await drained(sink);
  }

  /** Writes the final delimiter and ends the sink. */
  end(): void {
    this.sink.end(tailOf(this.boundary, !this.#first));
  }
}

const headOf = (boundary: string, part: MultipartPart, first: boolean): Buffer =>
  Buffer.from(`${first ? '' : '\r\n'}--${boundary}\r\n${part.headers.join('\r\n')}\r\n\r\n`, 'latin1');
const tailOf = (boundary: string, afterPart: boolean): Buffer => Buffer.from(`${afterPart ? '\r\n' : ''}--${boundary}--\r\n`, 'latin1');

function drained(sink: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      sink.off('drain', onDrain).off('close', onClose).off('error', settle);
      if (error) reject(error);
      else resolve();
    };
    const onDrain = (): void => settle();
    const onClose = (): void => settle(new Error('The receiver closed the connection'));
    sink.on('drain', onDrain).on('close', onClose).on('error', settle);
  });
}
