// Searches the catalogue and gives results as DICOM JSON texts, page by page. No counts: one row more than asked for tells
// whether there is another page.
import type { ImagingDatabase } from '@perennia/persistence';
import { encodeCursor, type CursorKeys } from './keyset-cursor.js';
import { planToSql } from './plan-to-sql.js';
import type { SearchPlan } from './search-plan.js';

export interface SearchPage {
  /** One DICOM JSON object each. */
  documents: string[];
  /** Where the next page begins; absent on the last. */
  nextCursor?: string;
}

type Row = { document: string } & Record<`k${number}`, string | number>;

export class CatalogSearch {
  constructor(private readonly imaging: ImagingDatabase) {}

  /** @param baseUrl of the service without a slash at its end, for RetrieveURL */
  async page(plan: SearchPlan, baseUrl: string): Promise<SearchPage> {
    const statement = planToSql(plan, baseUrl);
    const rows = await this.imaging.query<Row>(statement.text, statement.parameters);
    const kept = rows.length > plan.limit ? rows.slice(0, plan.limit) : rows;
    const documents = kept.map((row) => row.document);
    if (kept.length === rows.length) return { documents };
    return { documents, nextCursor: encodeCursor(plan, keysOf(kept.at(-1)!, statement.keyCount)) };
  }

  /** The cursor after the last row of a large page, without reading the page; undefined when nothing follows it. */
  async cursorAfter(plan: SearchPlan): Promise<string | undefined> {
    const statement = planToSql({ ...plan, offset: plan.offset + plan.limit - 1, limit: 1 }, null);
    const rows = await this.imaging.query<Row>(statement.text, statement.parameters);
    return rows.length === 2 ? encodeCursor(plan, keysOf(rows[0]!, statement.keyCount)) : undefined;
  }
}

const keysOf = (row: Row, count: number): CursorKeys => Array.from({ length: count }, (_, index) => row[`k${index}`]!);
