// The patients of the catalogue as the PATIENT level of C-FIND wants them (PS3.4 §C.6.1.1.2): one for each Patient ID and issuer, told as
// the newest of its studies tells it. A study without Patient ID belongs to no patient that could be asked for.
import type { CombinedCondition, Condition } from '@perennia/dicom-web';
import type { ImagingDatabase } from '@perennia/persistence';
import { filterToSql } from './filter-to-sql.js';
import { planFilters, type Filter } from './search-plan.js';
import { SqlText } from './sql-text.js';

/** Patient's name, ID, issuer, birth date and sex. */
export const PATIENT_TAGS: ReadonlySet<string> = new Set(['00100010', '00100020', '00100021', '00100030', '00100040']);

export interface PatientPlan {
  tenantId: string;
  filters: readonly Filter[];
  unmatched: readonly string[];
  /** Whether the numbers of studies, series and instances are wanted. */
  counted: boolean;
  limit: number;
  after?: PatientKey;
}
/** The last patient of a page. */
export interface PatientKey {
  identifier: string;
  issuer: string;
}

export interface FoundPatient {
  /** DICOM JSON object with the attributes of the study level. */
  document: string;
  studies?: number;
  series?: number;
  instances?: number;
}
export interface PatientPage {
  patients: FoundPatient[];
  /** Absent on the last page. */
  next?: PatientKey;
}

export function planPatientSearch(
  tenantId: string, conditions: readonly Condition[], combined: readonly CombinedCondition[], { counted, limit }: { counted: boolean; limit: number },
): PatientPlan {
  const ofPatient = conditions.filter(({ path }) => PATIENT_TAGS.has(path[0]!));
  const others = conditions.filter((condition) => !ofPatient.includes(condition)).map(({ path }) => path.join('.'));
  const { filters, unsupported } = planFilters('study', ofPatient, []);
  const spans = combined.flatMap(({ datePath, timePath }) => [datePath.join('.'), timePath.join('.')]);
  return { tenantId, filters, unmatched: [...unsupported, ...others, ...spans], counted, limit };
}

type Row = FoundPatient & PatientKey;

export class PatientSearch {
  constructor(private readonly imaging: ImagingDatabase) {}

  async page(plan: PatientPlan): Promise<PatientPage> {
    const { text, parameters } = patientPageToSql(plan);
    const rows = await this.imaging.query<Row>(text, parameters);
    const patients = rows.slice(0, plan.limit);
    const last = patients.at(-1);
    return { patients, ...(rows.length > plan.limit && last ? { next: { identifier: last.identifier, issuer: last.issuer } } : {}) };
  }

  /** Whether there are more than so many. */
  async exceeds(plan: PatientPlan, most: number): Promise<boolean> {
    const sql = new SqlText();
    const inner = keysSql({ ...plan, limit: most }, sql);
    const [row] = await this.imaging.query<{ found: number }>(`select count(*)::int as found from (${inner}) as p`, sql.parameters);
    return row!.found > most;
  }
}

/** The order is that of the index study_identifier, so that a page reads only its own patients. */
function keysSql({ tenantId, filters, limit, after }: PatientPlan, sql: SqlText): string {
  const tenant = sql.bind(tenantId);
  const where = [`s.tenant_id = ${tenant}`, `s.state <> 'tombstoned'`, 's.patient_identifier is not null', ...filters.map((filter) => filterToSql(filter, sql))];
  if (after) {
    const [identifier, issuer] = [sql.bind(after.identifier, 'text'), sql.bind(after.issuer, 'text')];
    where.push(`s.patient_identifier ~>=~ ${identifier}`, `(s.patient_identifier ~>~ ${identifier} or coalesce(s.issuer, '') > ${issuer})`);
  }
  return `select distinct on (s.patient_identifier, coalesce(s.issuer, '')) s.bucket, s.id, s.patient_identifier as identifier, coalesce(s.issuer, '') as issuer
    from imaging.study s where ${where.join(' and ')}
    order by s.patient_identifier using ~<~, coalesce(s.issuer, ''), s.sort_date desc, s.id desc limit ${sql.bind(limit + 1)}`;
}

export function patientPageToSql(plan: PatientPlan): { text: string; parameters: readonly unknown[] } {
  const sql = new SqlText();
  const keys = keysSql(plan, sql);
  const tenant = sql.bind(plan.tenantId);
  const counts = `join lateral (
      select count(*)::int as studies, sum(c.number_of_series)::int as series, sum(c.number_of_instances)::int as instances
      from imaging.study c where c.tenant_id = ${tenant} and c.state <> 'tombstoned' and c.patient_identifier = p.identifier and coalesce(c.issuer, '') = p.issuer
    ) n on true`;
  const text = `with p as materialized (${keys})
    select s.attributes::text as document, p.identifier, p.issuer${plan.counted ? ', n.studies, n.series, n.instances' : ''}
    from p join imaging.study s on s.bucket = p.bucket and s.id = p.id and s.tenant_id = ${tenant} ${plan.counted ? counts : ''}
    order by p.identifier using ~<~, p.issuer`;
  return { text, parameters: sql.parameters };
}
