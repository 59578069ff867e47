// Takes some made-up objects out of multipart bodies and stores them into nowhere: what every upload goes through is compiled before one
// comes.
import { HeaderMemory, part10Prefix } from '@perennia/dicom-stream';
import { LOOPBACK_PROFILE, madeUpObjects, receiveIntoNowhere, type MadeUpObject, type ReceiveContext } from '@perennia/ingest-pipeline';
import type { Clock } from '@perennia/telemetry';
import { receiveParts } from './receive-parts.js';
import type { TakeChunk } from './take-body.js';

const BODIES = 40;
const OBJECTS_A_BODY = 10;
export const WARM_UP_OBJECTS = BODIES * OBJECTS_A_BODY;
const CHUNK_BYTES = 64 * 1024;
const BOUNDARY = 'warm-up-2d1f';

/** @returns how many objects were stored */
export async function warmUp(clock: Clock): Promise<number> {
  const receive = receiveIntoNowhere(clock);
  const context: ReceiveContext = { road: 'stow', profile: LOOPBACK_PROFILE, source: { peer: '127.0.0.1' }, memory: new HeaderMemory() };
  let stored = 0;
  for (let number = 0; number < BODIES; number++) {
    const body = multipart(madeUpObjects(OBJECTS_A_BODY));
    const outcomes = await receiveParts((take) => inChunks(body, take), BOUNDARY, () => receive.begin(context));
    stored += outcomes.filter(({ outcome }) => outcome === 'stored').length;
    // Whoever asks for the health of the process has a turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return stored;
}

async function inChunks(body: Buffer, take: TakeChunk): Promise<void> {
  for (let at = 0; at < body.length; at += CHUNK_BYTES) await take(body.subarray(at, at + CHUNK_BYTES));
}

function multipart(objects: Iterable<MadeUpObject>): Buffer {
  const pieces: (Buffer | string)[] = [];
  for (const object of objects) pieces.push(`--${BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n`, part10Prefix(object), object.dataset, '\r\n');
  return Buffer.concat([...pieces, `--${BOUNDARY}--\r\n`].map((piece) => Buffer.from(piece as string)));
}
