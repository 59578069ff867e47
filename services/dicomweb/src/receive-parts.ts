// The parts of a multipart body into sinks, one after the other; their ends may be pending together, so that one flush of the
// landing area covers many small instances.
import { DicomWebError, MultipartReader, type MultipartEvent, type PartHeaders } from '@perennia/dicom-web';
import { refusalStatuses, type ObjectSink, type ReceiveOutcome } from '@perennia/ingest-pipeline';
import type { AppendBatch } from '@perennia/storage';
import { RequestRefusedError } from './request-refused-error.js';
import type { TakeChunk } from './take-body.js';

/** Instances whose durability is waited for while the next are read. */
const MAX_PENDING = 64;

/**
 * @param batch of the objects of this body; paused whenever no more can come
 * @param drain gives the chunks of the body to a taker, and resolves at their end
 * @returns one outcome for each part, in order
 * @throws RequestRefusedError when the body breaks off or breaks a limit; parts before that are stored all the same
 */
export async function receiveParts(drain: (take: TakeChunk) => Promise<void>, boundary: string, begin: () => ObjectSink, batch?: AppendBatch): Promise<ReceiveOutcome[]> {
  const reader = new MultipartReader(boundary);
  const intake = new PartIntake(begin, batch);
  try {
    await drain((chunk) => takeAll(reader.push(chunk), intake));
    await takeAll(reader.finish(), intake);
  } catch (error) {
    batch?.pause();
    await intake.abort();
    if (!(error instanceof DicomWebError)) throw error;
    throw new RequestRefusedError(error.reason === 'limit' ? 413 : 400, 'MULTIPART_BODY', `${error.message}. ${intake.stored} parts before were stored.`);
  }
  batch?.pause();
  const outcomes = await Promise.all(intake.outcomes);
  if (outcomes.length === 0) throw new RequestRefusedError(400, 'NO_PARTS', 'The body has no parts.');
  return outcomes;
}

/** In the same turn as long as nobody has to wait. */
function takeAll(events: Generator<MultipartEvent, void, void>, intake: PartIntake): void | Promise<void> {
  for (let next = events.next(); !next.done; next = events.next()) {
    const wait = intake.take(next.value);
    if (wait) return wait.then(() => takeAll(events, intake));
  }
  return undefined;
}

class PartIntake {
  readonly outcomes: (ReceiveOutcome | Promise<ReceiveOutcome>)[] = [];
  stored = 0;
  private sink: ObjectSink | null = null;
  private readonly pending = new Set<Promise<unknown>>();

  constructor(private readonly begin: () => ObjectSink, private readonly batch: AppendBatch | undefined) {}

  take(event: MultipartEvent): void | Promise<void> {
    if (event.kind === 'data') return this.sink?.write(event.chunk);
    if (event.kind === 'end') return this.end();
    if (isDicom(event.headers)) this.sink = this.begin();
    else this.outcomes.push(NOT_DICOM);
    return undefined;
  }

  async abort(): Promise<void> {
    this.sink?.abort();
    await Promise.all(this.pending);
  }

  private end(): void | Promise<void> {
    if (!this.sink) return undefined;
    const outcome = this.sink.end();
    this.sink = null;
    this.outcomes.push(outcome);
    const settled = outcome.then(
      (result) => void (this.stored += result.outcome === 'stored' ? 1 : 0),
      // Told by Promise.all over the outcomes.
      () => undefined,
    );
    this.pending.add(settled);
    void settled.then(() => this.pending.delete(settled));
    return this.pending.size >= MAX_PENDING ? this.oneSettled() : undefined;
  }

  private async oneSettled(): Promise<void> {
    this.batch?.pause();
    await Promise.race(this.pending);
    this.batch?.resume();
  }
}

/** A part without a type is of the type that the body names. */
function isDicom(headers: PartHeaders): boolean {
  const type = headers.get('content-type');
  return type === undefined || type.split(';')[0]!.trim().toLowerCase() === 'application/dicom';
}

const NOT_DICOM: ReceiveOutcome = {
  outcome: 'refused',
  reasonCode: 'NOT_DICOM',
  ...refusalStatuses.NOT_DICOM,
  message: 'The part is not of type application/dicom.',
};
