// The spans of a batch: one for the batch, linked to all that is traced in it and the child of none, and a short one for each of those, so
// that the trace of an object shows this step. Sent on with the object goes the short one.
import { ArchiveError } from '@perennia/errors';
import type { SpanAttributes, SpanKind, TraceSpan, Tracing } from './tracing.js';

export interface BatchTraceOptions {
  name: string;
  kind: SpanKind;
  attributes?: SpanAttributes;
  /** Name of the short spans. */
  member: string;
  /** Traceparents of the objects of the batch; most have none. */
  parents: readonly (string | undefined)[];
}

/** More links are not told: nobody follows them. */
const MAX_LINKS = 128;

export class BatchTrace {
  private readonly batch: TraceSpan;
  private readonly members = new Map<string, TraceSpan>();

  private constructor(private readonly tracing: Tracing, { name, kind, attributes, member, parents }: BatchTraceOptions) {
    const traced = new Set(parents.filter((parent) => parent !== undefined));
    this.batch = tracing.begin(name, { kind, links: [...traced].slice(0, MAX_LINKS), ...(attributes && { attributes }) });
    for (const parent of traced) this.members.set(parent, tracing.begin(member, { kind, parent, links: [this.batch.traceparent] }));
  }

  /** @returns undefined for a batch in which nothing is traced */
  static begin(tracing: Tracing, options: BatchTraceOptions): BatchTrace | undefined {
    return options.parents.some((parent) => parent !== undefined) ? new BatchTrace(tracing, options) : undefined;
  }

  /** What an object that came with `parent` is handed on with. */
  next(parent: string | undefined): string | undefined {
    return parent === undefined ? undefined : this.members.get(parent)?.traceparent;
  }

  /** Runs the work of the batch, and ends all its spans with it. @throws what `work` throws */
  async run<T>(work: (batch: TraceSpan) => Promise<T>): Promise<T> {
    try {
      return await this.tracing.within(this.batch, () => work(this.batch));
    } catch (error) {
      const reason = error instanceof ArchiveError ? error.code : 'UNEXPECTED';
      for (const span of [this.batch, ...this.members.values()]) span.fail(reason);
      throw error;
    } finally {
      for (const span of [...this.members.values(), this.batch]) span.end();
    }
  }
}
