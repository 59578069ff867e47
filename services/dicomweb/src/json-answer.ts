// JSON answers, compressed for clients that take gzip.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, createGzip, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { streamAnswer, pour } from './stream-answer.js';

const compress = promisify(gzip);
/** Level 1: DICOM JSON repeats itself so much that more effort buys little. */
const OPTIONS = { level: constants.Z_BEST_SPEED };
const LEAST_BYTES = 2048;

export function acceptsGzip({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  const header = headers['accept-encoding'];
  return header !== undefined && /(^|,)\s*(gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*(,|$)))?/i.test(String(header)) && !/gzip\s*;\s*q=0(\.0*)?\s*(,|$)/i.test(String(header));
}

export async function sendJson(request: FastifyRequest, reply: FastifyReply, mediaType: string, text: string): Promise<void> {
  void reply.header('content-type', mediaType);
  if (text.length < LEAST_BYTES || !acceptsGzip(request)) {
    // As bytes: to text the framework would append a charset, which JSON types do not have.
    await reply.send(Buffer.from(text));
    return;
  }
  const body = await compress(text, OPTIONS);
  await reply.header('content-encoding', 'gzip').header('vary', 'accept-encoding').send(body);
}

/** Characters that are written at once: a system call for each object would cost as much as making it. */
const PIECE_CHARACTERS = 64 * 1024;

async function* inPieces(texts: AsyncIterable<string>): AsyncGenerator<Buffer, void, void> {
  let gathered = '';
  for await (const text of texts) {
    gathered += text;
    if (gathered.length < PIECE_CHARACTERS) continue;
    yield Buffer.from(gathered);
    gathered = '';
  }
  if (gathered !== '') yield Buffer.from(gathered);
}

/** An array whose objects are made while it is sent. */
export async function streamJson(request: FastifyRequest, reply: FastifyReply, headers: Record<string, string>, texts: AsyncIterable<string>): Promise<void> {
  if (!acceptsGzip(request)) return streamAnswer(reply, { headers }, (sink) => pour(sink, inPieces(texts)));
  return streamAnswer(reply, { headers: { ...headers, 'content-encoding': 'gzip', vary: 'accept-encoding' } }, (sink) => pipeline(Readable.from(inPieces(texts)), createGzip(OPTIONS), sink));
}
