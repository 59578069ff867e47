// The body of an upload, given up when its sender falls silent or drips: a connection must not be held for next to nothing.
// Only time spent waiting for the sender counts, not the time in which we do not take.
import type { IncomingMessage } from 'node:http';
import type { Clock } from '@perennia/telemetry';
import { RequestRefusedError } from './request-refused-error.js';

const LEAST_BYTES_PER_S = 1024;
/** The rate is looked at after this much waiting. */
const RATE_AFTER_MS = 10_000;

/** An announcement of this much has to be followed by bytes at once: it would hold a connection longest. */
const HUGE_BYTES = 1024 ** 3;
const BEGUN_BYTES = 64 * 1024;

export interface BodyPatience {
  bodyIdleTimeout: number;
  bodyStartTimeout: number;
}

export async function* bodyChunks(body: IncomingMessage, patience: BodyPatience, clock: Clock): AsyncGenerator<Buffer, void, void> {
  const isHuge = Number(body.headers['content-length'] ?? 0) >= HUGE_BYTES;
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let waitedMs = 0;
  let receivedBytes = 0;
  for (;;) {
    const since = clock.monotonicMs();
    const mustBegin = isHuge && receivedBytes < BEGUN_BYTES;
    const next = await nextWithin(chunks, mustBegin ? Math.min(patience.bodyStartTimeout, patience.bodyIdleTimeout) : patience.bodyIdleTimeout);
    waitedMs += clock.monotonicMs() - since;
    if (next.done) return;
    receivedBytes += next.value.length;
    if (waitedMs > RATE_AFTER_MS && (receivedBytes * 1000) / waitedMs < LEAST_BYTES_PER_S) throw tooSlow(`less than ${LEAST_BYTES_PER_S} bytes a second`);
    yield next.value;
  }
}

function nextWithin(chunks: AsyncIterator<Buffer>, timeoutMs: number): Promise<IteratorResult<Buffer>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooSlow(`nothing for ${timeoutMs} ms`)), timeoutMs);
    const settled = (): void => clearTimeout(timer);
    chunks.next().then(resolve, reject).finally(settled);
  });
}

const tooSlow = (how: string): RequestRefusedError => new RequestRefusedError(408, 'UPLOAD_TOO_SLOW', `The upload sent ${how} and was given up.`);
