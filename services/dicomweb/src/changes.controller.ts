// The change feed over HTTP, of this archive's own: pages as JSON, or server-sent events for who follows it. PS3.18 has nothing of the kind.
import { ChangeFeed, FEED_START, type StudyChange } from '@perennia/catalog-query';
import { DicomWebError, negotiate, studyPath } from '@perennia/dicom-web';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BaseUrl } from './base-url.js';
import type { ChangeFollowers } from './change-followers.js';
import { parseChangesRequest } from './changes-request.js';
import type { DicomwebConfig } from './dicomweb.config.js';
import { sendJson } from './json-answer.js';
import { acceptRanges, rawQuery } from './request-facts.js';
import { streamAnswer } from './stream-answer.js';

const JSON_TYPE = 'application/json';
const EVENT_STREAM = 'text/event-stream';
/** Proxies shall pass events on as they come; the connection ends with the answer, so that a service that stops waits for nobody. */
const STREAM_HEADERS = {
  'content-type': EVENT_STREAM, 'cache-control': 'no-cache', 'x-accel-buffering': 'no', connection: 'close',
};

export class ChangesController {
  constructor(
    private readonly config: DicomwebConfig,
    private readonly feed: ChangeFeed,
    private readonly followers: ChangeFollowers,
    private readonly baseUrl: BaseUrl,
  ) {}

  register(app: FastifyInstance): void {
    app.get('/changes', (request, reply) => this.answer(request, reply));
    // Answers without an end would be waited for.
    app.addHook('preClose', async () => this.followers.stop());
  }

  private async answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { since, limit } = parseChangesRequest(rawQuery(request), request.headers['last-event-id'] as string | undefined);
    const chosen = negotiate(acceptRanges(request), [{ mediaType: JSON_TYPE }, { mediaType: EVENT_STREAM }]);
    if (!chosen) throw new DicomWebError('unacceptable', `The change feed is given as ${JSON_TYPE} or ${EVENT_STREAM}`);
    const base = this.baseUrl.of(request.raw);
    const { tenantId } = this.config;
    if (chosen.mediaType === EVENT_STREAM) {
      return streamAnswer(reply, { headers: STREAM_HEADERS }, (sink) => this.followers.follow(sink, since ?? 'latest', (change) => JSON.stringify(described(change, base))));
    }
    const from = since === 'latest' ? await this.feed.latest(tenantId) : (since ?? FEED_START);
    const { changes, next, latest } = await this.feed.after(tenantId, from, limit);
    void reply.header('cache-control', 'no-cache');
    return sendJson(request, reply, JSON_TYPE, JSON.stringify({ changes: changes.map((change) => described(change, base)), next, latest }));
  }
}

function described({ studyInstanceUid, study, occurredAt, ...change }: StudyChange, base: string): object {
  const { sequence, action, state, studyVersion, reasons } = change;
  const now = study === undefined ? {} : { study: { ...study, retrieveUrl: base + studyPath(studyInstanceUid) } };
  return { sequence, action, state, studyInstanceUid, studyVersion, reasons, occurredAt: occurredAt.toISOString(), ...now };
}
