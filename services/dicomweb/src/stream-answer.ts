// Answers whose bytes are written as they are read: past the framework, to the socket, with back-pressure. A failure after
// the head has gone can only cut the connection; Content-Length or the missing last chunk tells the client.
import type { ServerResponse } from 'node:http';
import { MultipartWriter } from '@perennia/dicom-web';
import type { FastifyReply } from 'fastify';

export interface AnswerHead {
  status?: number;
  headers: Readonly<Record<string, string | number>>;
}

/** @param write gets a writer whose framing nobody needs when the answer is not multipart */
export async function streamAnswer(reply: FastifyReply, head: AnswerHead, write: (sink: ServerResponse) => Promise<void>): Promise<void> {
  const { raw } = reply;
  const inherited = reply.getHeaders() as Record<string, string | number>;
  reply.hijack();
  raw.writeHead(head.status ?? 200, { ...inherited, ...head.headers });
  try {
    await write(raw);
  } catch (error) {
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
