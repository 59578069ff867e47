// Sends one file to the running archive (PS3.18 §10.5, STOW-RS): streamed with back-pressure, over connections that are kept.
import { createReadStream } from 'node:fs';
import { Agent, request, type IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { FoundFile } from './find-files.js';

export type SendOutcome =
  | { outcome: 'stored'; warning?: string }
  | { outcome: 'refused'; reason: string }
  | { outcome: 'failed'; reason: string };

interface StowAnswer {
  '00081198'?: { Value?: { '00081197'?: { Value?: number[] } }[] };
  '00081199'?: { Value?: unknown[] };
}

const BOUNDARY = 'perennia-import';
const HEAD = Buffer.from(`--${BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n`);
const TAIL = Buffer.from(`\r\n--${BOUNDARY}--\r\n`);
const LONGEST_ANSWER_BYTES = 1 << 20;

export class StowClient {
  readonly #agent: Agent;

  /** @param base the DICOMweb root, ending in a slash */
  constructor(
    private readonly base: URL,
    connections: number,
  ) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, noDelay: true });
  }

  async send(file: FoundFile): Promise<SendOutcome> {
    try {
      const { status, body } = await this.#post(file);
      return outcomeOf(status, body);
    } catch (error) {
      return { outcome: 'failed', reason: `the archive did not answer (${(error as NodeJS.ErrnoException).code ?? 'connection lost'})` };
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #post(file: FoundFile): Promise<{ status: number; body: string }> {
    const outgoing = request(new URL('studies', this.base), {
      method: 'POST',
      agent: this.#agent,
      headers: {
        'content-type': `multipart/related; type="application/dicom"; boundary=${BOUNDARY}`,
        'content-length': HEAD.length + file.sizeBytes + TAIL.length,
        accept: 'application/dicom+json',
        'perennia-road': 'import',
      },
    });
    const answer = new Promise<IncomingMessage>((resolve, reject) => outgoing.once('response', resolve).once('error', reject));
    outgoing.write(HEAD);
    // An archive that refuses early answers before it has read everything; the answer counts, not the broken pipe.
    const sent = pipeline(createReadStream(file.path, { highWaterMark: 1 << 18 }), outgoing, { end: false }).then(() => void outgoing.end(TAIL));
    const response = await Promise.race([answer, sent.then(() => answer)]);
    return { status: response.statusCode!, body: await textOf(response) };
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= LONGEST_ANSWER_BYTES) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const WHY: Readonly<Record<number, string>> = {
  0x0110: 'processing failure', 0x0111: 'duplicate SOP instance', 0x0122: 'SOP class not supported', 0x0124: 'not authorised',
  0xa700: 'the archive is full', 0xa900: 'dataset does not match its SOP class or identifiers', 0xc000: 'cannot be understood', 0xc122: 'transfer syntax not supported',
};

function outcomeOf(status: number, body: string): SendOutcome {
  if (status === 503 || status === 507 || status === 429) return { outcome: 'failed', reason: status === 507 ? 'the archive is full' : 'the archive is not ready' };
  const answer = parse(body);
  const reason = answer['00081198']?.Value?.[0]?.['00081197']?.Value?.[0];
  if (reason === 0xa700) return { outcome: 'failed', reason: WHY[reason]! };
  if (reason !== undefined) return { outcome: 'refused', reason: WHY[reason] ?? `failure reason ${reason.toString(16).toUpperCase()}` };
  if (status === 200 || status === 202) return { outcome: 'stored' };
  return status >= 500 ? { outcome: 'failed', reason: `the archive answered ${status}` } : { outcome: 'refused', reason: `refused with HTTP status ${status}` };
}

function parse(body: string): StowAnswer {
  try {
    return JSON.parse(body) as StowAnswer;
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
