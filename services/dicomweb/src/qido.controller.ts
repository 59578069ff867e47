// QIDO-RS (PS3.18 §10.6): six forms of one search.
import { CatalogSearch, planSearch, type SearchLevel, type SearchPage, type SearchPlan } from '@perennia/catalog-query';
import { parseQidoParameters, warningHeader } from '@perennia/dicom-web';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BaseUrl } from './base-url.js';
import type { DicomwebConfig } from './dicomweb.config.js';
import { sendJson, streamJson } from './json-answer.js';
import { acceptRanges, datasetMediaType, rawQuery, uidsOf } from './request-facts.js';
import { streamXml, XML_FORM } from './xml-answer.js';

/** Larger answers are read from the database in pages of this size. */
const PAGE = 1000;

export class QidoController {
  constructor(
    private readonly config: DicomwebConfig,
    private readonly search: CatalogSearch,
    private readonly baseUrl: BaseUrl,
  ) {}

  register(app: FastifyInstance): void {
    const route = (path: string, level: SearchLevel): void => {
      app.get(path, (request, reply) => this.answer(level, request, reply));
    };
    route('/studies', 'study');
    route('/series', 'series');
    route('/instances', 'instance');
    route('/studies/:study/series', 'series');
    route('/studies/:study/instances', 'instance');
    route('/studies/:study/series/:series/instances', 'instance');
  }

  private async answer(level: SearchLevel, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { study, series } = uidsOf(request);
    const query = rawQuery(request);
    const parameters = parseQidoParameters(query);
    const mediaType = datasetMediaType(acceptRanges(request, parameters.accept));
    const scope = { ...(study ? { studyInstanceUid: study } : {}), ...(series ? { seriesInstanceUid: series } : {}) };
    const plan = planSearch({ tenantId: this.config.tenantId, level, scope, parameters }, this.config);
    const base = this.baseUrl.of(request.raw);
    const target = `${base}${request.raw.url!.slice(this.config.pathPrefix.length).split('?')[0]}`;
    if (plan.limit > PAGE) return this.large(request, reply, plan, base, { mediaType, query, target });
    const page = await this.search.page(plan, base);
    this.describe(reply, plan, page.nextCursor, query, target);
    if (page.documents.length === 0) return void (await reply.code(204).send());
    if (mediaType === XML_FORM.mediaType) return streamXml(reply, {}, page.documents);
    return sendJson(request, reply, mediaType, `[${page.documents.join(',')}]`);
  }

  /** Warnings, and where the next page is. */
  private describe(reply: FastifyReply, plan: SearchPlan, nextCursor: string | undefined, query: string, target: string): void {
    const warnings = [...plan.warnings];
    if (nextCursor !== undefined) {
      const kept = query.split('&').filter((piece) => piece !== '' && !/^(offset|cursor)=/.test(piece));
      void reply.header('link', `<${target}?${[...kept, `cursor=${nextCursor}`].join('&').replace(/[<>"\s]/g, encodeURIComponent)}>; rel="next"`);
      if (plan.limitReduced) warnings.push(`There are more results than the ${plan.limit} given here; follow the Link header to get them.`);
    }
    if (warnings.length > 0) void reply.header('warning', warningHeader(warnings));
  }

  /** Page by page; only the key of the last row is looked up beforehand, for the Link header. */
  private async large(
    request: FastifyRequest,
    reply: FastifyReply,
    plan: SearchPlan,
    base: string,
    { mediaType, query, target }: { mediaType: string; query: string; target: string },
  ): Promise<void> {
    const first = await this.search.page({ ...plan, limit: PAGE }, base);
    if (first.documents.length === 0) return void (await reply.code(204).send());
    this.describe(reply, plan, first.nextCursor && (await this.search.cursorAfter(plan)), query, target);
    const texts = this.pages(plan, first, base);
    if (mediaType === XML_FORM.mediaType) return streamXml(reply, {}, texts);
    await streamJson(request, reply, { 'content-type': mediaType }, inBrackets(texts));
  }

  /** Objects separated by commas, also across texts. */
  private async *pages(plan: SearchPlan, first: SearchPage, base: string): AsyncGenerator<string> {
    let left = plan.limit;
    let page = first;
    for (let opening = ''; ; opening = ',') {
      yield opening + page.documents.join(',');
      left -= page.documents.length;
      if (left === 0 || page.nextCursor === undefined) break;
      page = await this.search.page({ ...plan, offset: 0, cursor: page.nextCursor, limit: Math.min(left, PAGE) }, base);
      if (page.documents.length === 0) break;
    }
  }
}

async function* inBrackets(texts: AsyncIterable<string>): AsyncGenerator<string> {
  yield '[';
  yield* texts;
  yield ']';
}
