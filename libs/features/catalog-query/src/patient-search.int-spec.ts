// The patients of a generated catalogue in a real PostgreSQL, and how they are found.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseQidoParameters } from '@perennia/dicom-web';
import { cloneTemplateDatabase, generateCatalogue, type TestDatabase } from '@perennia/testing';
import { PatientSearch, patientPageToSql, planPatientSearch, type FoundPatient, type PatientPlan } from './patient-search.js';

const STUDIES = 2000;
/** Two studies each, but for the first and the last. */
const PATIENTS = STUDIES / 2 + 1;
let database: TestDatabase;
let search: PatientSearch;

beforeAll(async () => {
  database = await cloneTemplateDatabase();
  search = new PatientSearch(database.imaging);
  await generateCatalogue(database.imaging, { studies: STUDIES, seriesPerStudy: 2, instancesPerSeries: 3 });
  await generateCatalogue(database.imaging, { root: '1.9.9', tenantId: 'other', studies: 10, instancesPerSeries: 1 });
}, 120_000);
afterAll(() => database.close());

function plan(query: string, { counted = false, limit = 1000 } = {}): PatientPlan {
  const { conditions, combined } = parseQidoParameters(query);
  return planPatientSearch('default', conditions, combined, { counted, limit });
}
const value = ({ document }: FoundPatient, tag: string): unknown => (JSON.parse(document) as Record<string, { Value: unknown[] }>)[tag]!.Value[0];

describe('patients', () => {
  it('D04 come once each, page by page, none twice and none left out', async () => {
    const seen: unknown[] = [];
    let page = await search.page(plan('', { limit: 300 }));
    for (;;) {
      seen.push(...page.patients.map((patient) => value(patient, '00100020')));
      if (!page.next) break;
      page = await search.page({ ...plan('', { limit: 300 }), after: page.next });
    }
    expect(seen).toHaveLength(PATIENTS);
    expect(new Set(seen).size).toBe(PATIENTS);
  });
  it('are counted with all their studies, series and instances when that is asked for', async () => {
    const { patients } = await search.page(plan('PatientID=PID7', { counted: true }));
    expect(patients).toMatchObject([{ studies: 2, series: 4, instances: 12 }]);
  });
  it('of one Patient ID and two issuers are two', async () => {
    await database.imaging.query(`update imaging.study set issuer = 'HOSPITAL' where id = (select id from imaging.study where patient_identifier = 'PID9' and tenant_id = 'default' limit 1)`);
    expect((await search.page(plan('PatientID=PID9', { counted: true }))).patients).toMatchObject([{ studies: 1 }, { studies: 1 }]);
    expect((await search.page(plan('PatientID=PID9&IssuerOfPatientID=HOSPITAL'))).patients).toHaveLength(1);
  });
  it('are found by name; what is no attribute of a patient is told to be ignored', async () => {
    const { patients } = await search.page(plan('PatientName=A*^ANNA'));
    expect(patients.length).toBeGreaterThan(0);
    expect(plan('PatientID=PID7&StudyDate=20200101').unmatched).toEqual(['00080020']);
  });
  it('D06 tell whether there are more than so many', async () => {
    expect(await search.exceeds(plan('', { limit: 200 }), PATIENTS - 10)).toBe(true);
    expect(await search.exceeds(plan('', { limit: 200 }), PATIENTS + 10)).toBe(false);
  });
  it('are read in the order of their index', async () => {
    const { text, parameters } = patientPageToSql(plan('', { limit: 10 }));
    const shown = (await database.imaging.query<{ 'QUERY PLAN': string }>(`explain ${text}`, parameters)).map((row) => row['QUERY PLAN']).join('\n');
    expect(shown).toMatch(/using study_identifier/);
    expect(shown).not.toMatch(/Seq Scan on study/);
  });
});
