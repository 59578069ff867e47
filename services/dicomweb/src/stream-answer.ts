// Answers whose bytes are written as they are read: past the framework, to the socket, with back-pressure. A failure after
// the head has gone can only cut the connection; Content-Length or the missing last chunk tells the client.
import type { ServerResponse } from 'node:http';
import { MultipartWriter } from '@perennia/dicom-web';
import type { FastifyReply } from 'fastify';

export interface AnswerHead {
  status?: number;
  headers: Readonly<Record<string, string | number>>;
}

/**
 * The head goes with the first bytes: what fails before them is answered as an error, by whoever answers errors.
 * @param write gets a writer whose framing nobody needs when the answer is not multipart
 */
export async function streamAnswer(reply: FastifyReply, head: AnswerHead, write: (sink: ServerResponse) => Promise<void>): Promise<void> {
  const { raw } = reply;
  const headers = { ...(reply.getHeaders() as Record<string, string | number>), ...head.headers };
  raw.statusCode = head.status ?? 200;
  for (const [name, value] of Object.entries(headers)) raw.setHeader(name, value);
  try {
    await write(raw);
    reply.hijack();
  } catch (error) {
    if (!raw.headersSent && !raw.destroyed) {
      for (const name of Object.keys(headers)) raw.removeHeader(name);
      throw error;
    }
    reply.hijack();
    const gone = raw.destroyed;
    raw.destroy();
    // A client that left is no failure of ours.
    if (!gone) throw error;
  }
}

/** Writes the buffers and ends. */
export async function pour(sink: ServerResponse, chunks: AsyncIterable<Buffer | string> | Iterable<Buffer | string>): Promise<void> {
  const writer = new MultipartWriter(sink, '');
  for await (const chunk of chunks) await writer.write([typeof chunk === 'string' ? Buffer.from(chunk) : chunk]);
  sink.end();
}
