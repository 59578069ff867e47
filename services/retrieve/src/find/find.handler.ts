// C-FIND: turns an identifier into a search of the catalogue and streams its matches page by page (PS3.4 §C.4.1).
import { CatalogSearch, PatientSearch, planPatientSearch, planSearch, type SearchLevel } from '@perennia/catalog-query';
import type { DicomJsonDataset } from '@perennia/contracts';
import { DimseFailure, DimseStatus, QUERY_SOP_CLASSES, type FindAnswer, type FindRequest, type FindService } from '@perennia/dicom-net';
import type { SourceProfile } from '@perennia/ingest-pipeline';
import type { SenderSession } from '@perennia/ingest-pipeline/dimse';
import { ArchiveError } from '@perennia/errors';
import { AnswerWriter } from './answer-writer.js';
import { findQueryOf, type FindQuery } from './find-query.js';
import { readIdentifier } from '../read-identifier.js';
import { isSupportedKey, PATIENT_COUNTS } from './supported-keys.js';

/** Rows of the first statement, so that the first answer comes soon, and of each later one. */
const FIRST_PAGE = 200;
const PAGE = 1000;
const SEARCH_LEVEL: Readonly<Record<'STUDY' | 'SERIES' | 'IMAGE', SearchLevel>> = { STUDY: 'study', SERIES: 'series', IMAGE: 'instance' };

export interface FindHandlerParts {
  search: CatalogSearch;
  patients: PatientSearch;
  aeTitle: string;
  upperKeysOptional: boolean;
  /** 0: as many as there are; a source may have a number of its own. */
  maxMatches: number;
  counted: (matches: number) => void;
}

export class FindHandler implements FindService {
  readonly sopClassUids = QUERY_SOP_CLASSES;

  constructor(private readonly parts: FindHandlerParts) {}

  async *find(request: FindRequest, identifier: Buffer): AsyncGenerator<FindAnswer, void> {
    const { profile } = request.session as SenderSession;
    const keys = readIdentifier(identifier, request.transferSyntaxUid, profile.characterSet);
    const query = findQueryOf(request.sopClassUid, keys, { extensions: request.extensions, upperKeysOptional: this.parts.upperKeysOptional });
    let matches = 0;
    try {
      const found = query.level === 'PATIENT' ? this.patients(request, query, profile) : this.catalogue(request, query, SEARCH_LEVEL[query.level], profile);
      for await (const answer of found) {
        matches += 1;
        yield answer;
      }
    } catch (error) {
      if (error instanceof ArchiveError && error.retriable) throw new DimseFailure(DimseStatus.outOfResources, 'The catalogue does not answer; try again');
      throw error;
    } finally {
      this.parts.counted(matches);
    }
  }

  private async *catalogue(request: FindRequest, query: FindQuery, level: SearchLevel, profile: SourceProfile): AsyncGenerator<FindAnswer> {
    const { search } = this.parts;
    const maxMatches = profile.maxMatches ?? this.parts.maxMatches;
    const returned = Object.keys(query.keys).filter((tag) => isSupportedKey(tag, query.level)).map((tag) => [tag]);
    const parameters = { conditions: query.conditions, combined: query.combined, returned, includeAll: false, limit: firstPage(maxMatches), offset: 0, warnings: [] };
    const plan = planSearch({ tenantId: profile.tenantId, level, scope: query.scope, parameters });
    const writer = this.writer(request, query, plan.unmatched);
    let page = await search.page(plan, '');
    if (page.nextCursor !== undefined && maxMatches > 0 && (await search.cursorAfter({ ...plan, limit: maxMatches })) !== undefined) throw tooMany(maxMatches);
    for (;;) {
      for (const document of page.documents) yield writer.write(JSON.parse(document) as DicomJsonDataset);
      if (page.nextCursor === undefined || request.signal.aborted) return;
      page = await search.page({ ...plan, limit: PAGE, cursor: page.nextCursor }, '');
    }
  }

  private async *patients(request: FindRequest, query: FindQuery, profile: SourceProfile): AsyncGenerator<FindAnswer> {
    const { patients } = this.parts;
    const maxMatches = profile.maxMatches ?? this.parts.maxMatches;
    const counted = Object.values(PATIENT_COUNTS).some((tag) => query.keys[tag] !== undefined);
    const plan = planPatientSearch(profile.tenantId, query.conditions, query.combined, { counted, limit: firstPage(maxMatches) });
    const writer = this.writer(request, query, plan.unmatched);
    let page = await patients.page(plan);
    if (page.next && maxMatches > 0 && (await patients.exceeds(plan, maxMatches))) throw tooMany(maxMatches);
    for (;;) {
      for (const { document, ...counts } of page.patients) yield writer.write({ ...(JSON.parse(document) as DicomJsonDataset), ...countElements(counts) });
      if (!page.next || request.signal.aborted) return;
      page = await patients.page({ ...plan, limit: PAGE, after: page.next });
    }
  }

  private writer({ transferSyntaxUid }: FindRequest, query: FindQuery, unmatched: readonly string[]): AnswerWriter {
    return new AnswerWriter({ query, transferSyntaxUid, aeTitle: this.parts.aeTitle, ignoredCondition: unmatched.length > 0 });
  }
}

function countElements({ studies, series, instances }: { studies?: number; series?: number; instances?: number }): DicomJsonDataset {
  const counts = { [PATIENT_COUNTS.studies]: studies, [PATIENT_COUNTS.series]: series, [PATIENT_COUNTS.instances]: instances };
  return Object.fromEntries(Object.entries(counts).flatMap(([tag, count]) => (count === undefined ? [] : [[tag, { vr: 'IS', Value: [count] }]])));
}

/** Not above the limit, so that a full page means it may be exceeded. */
const firstPage = (maxMatches: number): number => (maxMatches > 0 ? Math.min(FIRST_PAGE, maxMatches) : FIRST_PAGE);

const tooMany = (most: number): DimseFailure => new DimseFailure(DimseStatus.outOfResources, `More than ${most} matches; narrow the query`);
