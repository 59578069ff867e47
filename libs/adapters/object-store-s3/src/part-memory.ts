// The memory of all writers together. A writer that finds none waits, and its sender with it, until something that is being sent gives some
// back. Where nothing is being sent nobody would ever: then one part may grow beyond the limit until it can be sent; and another one if the
// sender of that one takes longer than a second. Nobody waits for ever.
import { Buffer } from 'node:buffer';
import { UnavailableError } from '@perennia/errors';

const SPARE_PARTS = 4;
const NEXT_BORROWER_MS = 1000;

interface Wish {
  bytes: number;
  owner: object;
  grant: () => void;
}

export class PartMemory {
  private usedBytes = 0;
  private sending = 0;
  private borrower: object | undefined;
  private patience: NodeJS.Timeout | undefined;
  private readonly waiting: Wish[] = [];
  /** Whole parts, kept for the next. */
  private readonly spare: Buffer[] = [];

  constructor(private readonly limitBytes: number, readonly partBytes: number) {}

  /** A buffer of so many bytes, of at most one part; later. `owner`: the part that grows. @throws UnavailableError after `waitMs` */
  async take(bytes: number, owner: object, waitMs: number): Promise<Buffer> {
    await new Promise<void>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const wish: Wish = { bytes, owner, grant: () => (clearTimeout(timer), resolve()) };
      this.waiting.push(wish);
      this.serve();
      if (this.waiting.includes(wish)) timer = setTimeout(() => (this.giveUp(wish), reject(stuck())), waitMs);
    });
    return (bytes === this.partBytes ? this.spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(bytes);
  }

  give(buffer: Buffer): void {
    this.usedBytes -= buffer.length;
    if (buffer.length === this.partBytes && this.spare.length < SPARE_PARTS) this.spare.push(buffer);
    this.serve();
  }

  /** The part is gone, or on its way. */
  settle(owner: object): void {
    if (this.borrower === owner) this.borrower = undefined;
    this.serve();
  }

  /** While `work` sends, whoever waits can hope for its memory. */
  async whileSending<T>(owner: object, work: () => Promise<T>): Promise<T> {
    this.sending += 1;
    this.settle(owner);
    try {
      return await work();
    } finally {
      this.sending -= 1;
      this.serve();
    }
  }

  private giveUp(wish: Wish): void {
    this.waiting.splice(this.waiting.indexOf(wish), 1);
    this.serve();
  }

  private serve(): void {
    for (let next = this.nextWish(); next; next = this.nextWish()) {
      this.waiting.splice(this.waiting.indexOf(next), 1);
      this.usedBytes += next.bytes;
      next.grant();
    }
    if (this.waiting.length === 0) {
      clearTimeout(this.patience);
      this.patience = undefined;
    }
  }

  private nextWish(): Wish | undefined {
    const [first] = this.waiting;
    if (!first || this.usedBytes + first.bytes <= this.limitBytes) return first;
    const borrowing = this.waiting.find(({ owner }) => owner === this.borrower);
    if (borrowing || this.sending > 0) return borrowing;
    if (this.borrower === undefined) {
      this.borrower = first.owner;
      return first;
    }
    this.patience ??= setTimeout(() => {
      this.patience = undefined;
      this.borrower = undefined;
      this.serve();
    }, NEXT_BORROWER_MS);
    return undefined;
  }
}

function stuck(): UnavailableError {
  return new UnavailableError('The object store has taken too little for too long: there is no memory for more.', { remedy: 'Look at the object store and the network before it.' });
}
