// Listens to a dataset while it is being received and finds out everything a receipt says about it, in one pass. Keeps about
// eighty small attributes and one number a fragment, never pixel data; whatever is malformed throws as soon as it is seen.
import { CharacterSet, transferSyntaxOf } from '@perennia/dicom-data';
import { ElementReader } from './element-reader.js';
import { type HeaderMemory } from './header-memory.js';
import { type HeaderSummary } from './header-summary.js';
import { HeaderVisitor } from './header-visitor.js';
import { Inflater } from './inflater.js';
import { DEFAULT_READER_LIMITS, type ReaderLimits } from './reader-limits.js';

export interface HeaderTapOptions {
  transferSyntaxUid: string;
  /** Bytes before the dataset in the Part 10 object; all offsets of the summary count from its start. */
  datasetOffset: number;
  /** Issuer of Patient ID where the dataset names none. */
  defaultIssuer?: string;
  /** Specific Character Set where the dataset has none, e.g. `ISO_IR 100`; backslash separated. */
  defaultCharacterSet?: string;
  limits?: Partial<ReaderLimits>;
  /** Of the sender: what has not changed since his object before is not decoded again. Not used for deflated ones, which may still be read when they are given up. */
  memory?: HeaderMemory;
}

export class HeaderTap {
  private readonly visitor: HeaderVisitor;
  private readonly reader: ElementReader;
  private readonly inflater: Inflater | undefined;
  private receivedBytes = 0;

  constructor(private readonly options: HeaderTapOptions) {
    const transferSyntax = transferSyntaxOf(options.transferSyntaxUid);
    const characterSet = CharacterSet.of(options.defaultCharacterSet === undefined ? [] : options.defaultCharacterSet.split('\\'));
    this.visitor = new HeaderVisitor(transferSyntax, options.defaultIssuer, characterSet, transferSyntax.deflated ? undefined : options.memory);
    this.reader = new ElementReader({
      explicit: transferSyntax.explicit,
      bigEndian: transferSyntax.bigEndian,
      visitor: this.visitor,
      baseOffset: options.datasetOffset,
      ...(options.limits && { limits: options.limits }),
    });
    this.visitor.attach(this.reader);
    if (transferSyntax.deflated) {
      this.inflater = new Inflater((bytes) => this.reader.push(bytes), { ...DEFAULT_READER_LIMITS, ...options.limits });
    }
  }

  /** Synchronous but for a deflated dataset; the bytes of the chunk are taken before this returns. */
  push(chunk: Uint8Array): void | Promise<void> {
    this.receivedBytes += chunk.length;
    if (this.inflater !== undefined) return this.inflater.push(chunk);
    this.reader.push(chunk);
  }

  /** The dataset is complete. Throws TRUNCATED when it ended inside of something. */
  end(): HeaderSummary | Promise<HeaderSummary> {
    return this.inflater === undefined ? this.finish() : this.inflater.end().then(() => this.finishDeflated());
  }

  /** Nothing more comes. */
  abort(): void {
    this.visitor.end();
  }

  private finish(): HeaderSummary {
    this.reader.end();
    return this.visitor.summary(this.options.datasetOffset + this.receivedBytes);
  }

  /** No range of the object is a range of the dataset, so that all of it is header and frames are read in sequence. */
  private finishDeflated(): HeaderSummary {
    const summary = this.finish();
    const headerLength = this.options.datasetOffset + this.receivedBytes;
    if (summary.frameIndex.kind === 'none') return { ...summary, headerLength };
    return { ...summary, headerLength, frameIndex: { kind: 'sequential', frames: summary.numberOfFrames } };
  }
}
