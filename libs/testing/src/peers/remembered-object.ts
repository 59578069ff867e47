// A store sink that keeps what it got and how it ended; a script may make it slow or failing.
import type { StoreOutcome, StoreRequest, StoreSink } from '@perennia/dicom-net';

export class RememberedObject implements StoreSink {
  readonly chunks: Buffer[] = [];
  fate: 'open' | 'ended' | 'aborted' = 'open';
  abortReason = '';

  constructor(readonly request: StoreRequest, private readonly script: Partial<Pick<StoreSink, 'write' | 'end'>> = {}) {}

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
  write(chunk: Buffer): void | Promise<void> {
    this.chunks.push(Buffer.from(chunk));
    return this.script.write?.(chunk);
  }
  end(): StoreOutcome | Promise<StoreOutcome> {
    this.fate = 'ended';
    return this.script.end?.() ?? { status: 0 };
  }
  abort(reason: string): void {
    this.fate = 'aborted';
    this.abortReason = reason;
  }
}
