// Hands the records of a group to its handler, one batch at a time: read, handle, store progress. A handler that rejects gets
// the same records again; a lost connection is joined anew and goes on where the progress stands.
import { ArchiveError, IllegalStateError } from '@perennia/errors';
import { faultPoint, mutant } from '@perennia/fault-points';
import type { Subscription, SubscriptionOptions } from '@perennia/messaging';
import { WakeUp, type Clock, type Logger } from '@perennia/telemetry';
import { GroupMember, type GroupKey, type LogBatch } from './group-member.js';

/** Signals may get lost with a connection: looked at anyway this often, and as often for partitions that became free. */
const POLL_MS = 1000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;

export class LogSubscription implements Subscription {
  private readonly wakeUp: WakeUp;
  private member: GroupMember | null = null;
  private closing = false;
  private failures = 0;
  private finished: Promise<void> = Promise.resolve();

  constructor(
    private readonly url: string,
    private readonly group: GroupKey,
    private readonly options: SubscriptionOptions,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    this.wakeUp = new WakeUp(clock);
  }

  /** Joins the group; records come from then on. */
  async start(): Promise<void> {
    this.member = await this.join();
    this.finished = this.run();
  }

  get topic(): string {
    return this.group.topic;
  }

  wake(): void {
    this.wakeUp.wake();
  }

  async close(): Promise<void> {
    this.closing = true;
    this.wakeUp.wake();
    await this.finished;
  }

  private join(): Promise<GroupMember> {
    return GroupMember.join(this.url, this.group, this.clock, (payload) => {
      if (payload === String(this.group.table.topicId)) this.wakeUp.wake();
    });
  }

  private async run(): Promise<void> {
    while (!this.closing) {
      try {
        this.member ??= await this.join();
        await this.step(this.member);
        this.failures = 0;
      } catch (error) {
        await this.recover(error);
      }
    }
    await this.member?.leave();
  }

  private async step(member: GroupMember): Promise<void> {
    await member.rebalance();
    const batch = await member.read(this.options.maxRecords);
    if (!batch) return this.wakeUp.wait(POLL_MS);
    if (mutant('offset-before-effect')) await member.store(batch);
    if (batch.records.length > 0 && !(await this.handle(batch))) return;
    if (!mutant('offset-before-effect')) await member.store(batch);
    faultPoint('K14');
  }

  /** @returns whether the batch was handled */
  private async handle(batch: LogBatch): Promise<boolean> {
    try {
      await this.options.handle(batch.records);
      return true;
    } catch (error) {
      // Told apart from errors of the log itself: the membership is sound, the records come again.
      this.log.warn({ topic: this.topic, group: this.options.group, code: codeOf(error) }, 'A batch of the event log was refused by its handler');
      await this.pause();
      return false;
    }
  }

  private async recover(error: unknown): Promise<void> {
    this.log.warn({ topic: this.topic, group: this.options.group, code: codeOf(error) }, 'The event log is joined again');
    const member = this.member;
    this.member = null;
    await member?.leave();
    await this.pause();
  }

  private async pause(): Promise<void> {
    if (this.closing) return;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.failures++);
    const until = this.clock.monotonicMs() + pauseMs;
    while (!this.closing && this.clock.monotonicMs() < until) await this.wakeUp.wait(Math.max(1, until - this.clock.monotonicMs()));
  }
}

function codeOf(error: unknown): string {
  return error instanceof ArchiveError ? error.code : new IllegalStateError('').code;
}
