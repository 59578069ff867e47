// Clients that follow the change feed live, by server-sent events (WHATWG HTML §9.2). Each change is an event whose id is its number; a comment now and then tells
// both ends that the other is there. Bounded: so many clients, and of each no more than one page that it has not taken yet. One look at the feed serves all.
import { type ChangeFeed, type StudyChange } from '@perennia/catalog-query';
import { MultipartWriter } from '@perennia/dicom-web';
import { UnavailableError } from '@perennia/errors';
import type { Clock } from '@perennia/telemetry';
import type { ServerResponse } from 'node:http';

const PAGE = 100;
/** How old what is known of the feed may be: the most that an event comes late. */
const LOOK_EVERY_MS = 500;
/** After which a browser connects again. */
const RETRY_MS = 3000;

export interface ChangeFollowersOptions {
  tenantId: string;
  /** Clients at the same time. */
  maxFollowers: number;
  /** Silence after which a comment is sent. */
  heartbeatMs: number;
}

export class ChangeFollowers {
  private readonly stopping = new AbortController();
  private followers = 0;
  private look: { atMs: number; latest: Promise<number> } | null = null;

  constructor(
    private readonly feed: Pick<ChangeFeed, 'after' | 'latest'>,
    private readonly clock: Clock,
    private readonly options: ChangeFollowersOptions,
  ) {}

  /**
   * Sends what comes after a number, until the client leaves or the service stops.
   * @param text an event's data, one line
   * @throws UnavailableError when there are too many clients; ConflictError as the feed does
   */
  async follow(sink: ServerResponse, since: number | 'latest', text: (change: StudyChange) => string): Promise<void> {
    const { maxFollowers } = this.options;
    if (this.followers >= maxFollowers || this.stopping.signal.aborted) {
      throw new UnavailableError(`The change feed has as many followers as it takes (${maxFollowers}).`, {
        remedy: 'Ask for pages instead, or set dicomweb.maxFollowers (VNA_DICOMWEB_MAX_FOLLOWERS).',
      });
    }
    this.followers++;
    const left = new AbortController();
    sink.once('close', () => left.abort());
    try {
      await this.send(sink, since === 'latest' ? await this.feed.latest(this.options.tenantId) : since, text, AbortSignal.any([left.signal, this.stopping.signal]));
    } finally {
      this.followers--;
    }
    sink.end();
  }

  /** Ends all answers; each client has all that it was sent, and goes on from there. */
  stop(): void {
    this.stopping.abort();
  }

  private async send(sink: ServerResponse, since: number, text: (change: StudyChange) => string, ended: AbortSignal): Promise<void> {
    const { tenantId, heartbeatMs } = this.options;
    const writer = new MultipartWriter(sink, '');
    let page = await this.feed.after(tenantId, since, PAGE);
    let waiting = `retry: ${RETRY_MS}\n\n`;
    for (let spokenMs = this.clock.monotonicMs(); !ended.aborted; ) {
      waiting += page.changes.map((change) => `id: ${change.sequence}\nevent: ${change.action}\ndata: ${text(change)}\n\n`).join('');
      if (waiting === '' && this.clock.monotonicMs() - spokenMs >= heartbeatMs) waiting = ':\n\n';
      if (waiting !== '') {
        await writer.write([Buffer.from(waiting)]);
        spokenMs = this.clock.monotonicMs();
        waiting = '';
      }
      if (page.next === page.latest) await this.clock.sleep(Math.min(LOOK_EVERY_MS, heartbeatMs), ended);
      const hasMore = page.next < page.latest || (await this.latest()) > page.next;
      page = hasMore && !ended.aborted ? await this.feed.after(tenantId, page.next, PAGE) : { ...page, changes: [] };
    }
  }

  /** As of a moment ago, whoever asked. */
  private latest(): Promise<number> {
    const nowMs = this.clock.monotonicMs();
    if (!this.look || nowMs - this.look.atMs >= LOOK_EVERY_MS) this.look = { atMs: nowMs, latest: this.feed.latest(this.options.tenantId) };
    return this.look.latest;
  }
}
