// Results, pages and plans on a generated catalogue of 20,000 studies in a real PostgreSQL.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseQidoParameters } from '@perennia/dicom-web';
import { cloneTemplateDatabase, generateCatalogue, generatedUid, type TestDatabase } from '@perennia/testing';
import { CatalogSearch } from './catalog-search.js';
import { planToSql } from './plan-to-sql.js';
import type { SearchLevel } from './search-level.js';
import { planSearch, type SearchPlan, type SearchScope } from './search-plan.js';

const BASE = 'http://archive/dicom-web';
const small = { root: '1.2.3.4' };
const uidOf = (document: string, tag = '0020000D'): string => (JSON.parse(document) as Record<string, { Value: string[] }>)[tag]!.Value[0]!;

let database: TestDatabase;
let search: CatalogSearch;

function plan(query: string, level: SearchLevel = 'study', scope: SearchScope = {}, tenantId = 'default'): SearchPlan {
  return planSearch({ tenantId, level, scope, parameters: parseQidoParameters(query) });
}
async function find(...request: Parameters<typeof plan>): Promise<Record<string, { vr: string; Value?: unknown[] }>[]> {
  return (await search.page(plan(...request), BASE)).documents.map((document) => JSON.parse(document) as Record<string, { vr: string; Value?: unknown[] }>);
}
async function explain(...request: Parameters<typeof plan>): Promise<string> {
  const { text, parameters } = planToSql(plan(...request), BASE);
  return (await database.imaging.query<{ 'QUERY PLAN': string }>(`explain ${text}`, parameters)).map((row) => row['QUERY PLAN']).join('\n');
}

beforeAll(async () => {
  database = await cloneTemplateDatabase();
  search = new CatalogSearch(database.imaging);
  await generateCatalogue(database.imaging, { studies: 20_000 });
  await generateCatalogue(database.imaging, { ...small, studies: 20, seriesPerStudy: 2, instancesPerSeries: 100 });
  await generateCatalogue(database.imaging, { root: '1.9.9', tenantId: 'other', studies: 10, instancesPerSeries: 1 });
}, 120_000);
afterAll(() => database.close());

/** Tables a page is found in, and those of them that are bound to the tenant. */
const pageOf = (text: string): string => text.split(') select')[0]!;
const tablesNamed = (text: string): string[] => [...pageOf(text).matchAll(/imaging\.\w+ (\w+)/g)].map((match) => match[1]!).toSorted();
const tenantsNamed = (text: string): string[] => [...pageOf(text).matchAll(/(\w+)\.tenant_id = \$1\b/g)].map((match) => match[1]!).toSorted();

describe('plans of the commonest searches', () => {
  it.each<[string, RegExp, Parameters<typeof plan>]>([
    ['Patient ID', /study_identifier/, ['PatientID=PID77']],
    ['Patient ID prefix', /study_identifier/, ['PatientID=PID77*']],
    ['accession number', /study_accession/, ['AccessionNumber=ACC77']],
    ['Study UID', /study_(uid|pkey)/, [`StudyInstanceUID=${generatedUid({}, 5)}`]],
    ['name prefix', /study_name /, ['PatientName=FRN*&limit=100']],
    ['name, ideographic group too', /study_name_ideographic/, ['PatientName=FRN*&limit=100']],
    ['name infix', /study_name_trigram/, ['PatientName=*FRNSON*']],
    ['date and modality', /study_list/, ['StudyDate=20200101-20200114&ModalitiesInStudy=CT&limit=100']],
    ['the list', /Index Only Scan using study_list/, ['limit=50']],
    ['a deep page of the list', /Index Only Scan using study_list/, ['limit=50&offset=9000']],
    ['series of a study', /series_study/, ['', 'series', { studyInstanceUid: generatedUid({}, 5) }]],
    ['instances of a series', /instance_p\d_study_id_series_id/, ['', 'instance', { studyInstanceUid: generatedUid(small, 1), seriesInstanceUid: generatedUid(small, 1, 1) }]],
    ['instances of a study', /instance_p\d_study_id_series_id/, ['', 'instance', { studyInstanceUid: generatedUid(small, 1) }]],
    ['a series anywhere', /series_uid/, [`SeriesInstanceUID=${generatedUid({}, 5, 1)}`, 'series']],
    ['an instance anywhere', /sop_directory_p\d_pkey/, [`SOPInstanceUID=${generatedUid(small, 1, 1, 1)}`, 'instance']],
  ])('%s: by its index, without reading whole tables', async (_, index, request) => {
    const shown = await explain(...request);
    expect(shown).toMatch(index);
    expect(shown).not.toMatch(/Seq Scan on (study|series) /);
  });
  it('a study’s instances are looked for in one partition only', async () => {
    const [, page] = (await explain('', 'instance', { studyInstanceUid: generatedUid(small, 1) })).split('CTE page');
    expect(page!.slice(0, page!.indexOf('CTE Scan'))).not.toMatch(/Append/);
  });
});

describe('what is found', () => {
  it('gives what is counted of the levels above to who names it', async () => {
    const [series] = await find('includefield=NumberOfStudyRelatedInstances,ModalitiesInStudy', 'series', { studyInstanceUid: generatedUid(small, 0) });
    expect(series).toMatchObject({ '00201208': { vr: 'IS', Value: [200] }, '00080061': { vr: 'CS', Value: ['MR'] } });
  });
  it('gives required attributes, ascending, absent ones empty', async () => {
    const [study] = await find(`StudyInstanceUID=${generatedUid(small, 0)}`);
    expect(Object.keys(study!)).toEqual([
      '00080005', '00080020', '00080030', '00080050', '00080056', '00080061', '00080090', '00081190', '00100010', '00100020', '00100030', '00100040', '0020000D', '00200010', '00201206', '00201208',
    ]);
    expect(study).toMatchObject({ '00081190': { vr: 'UR', Value: [`${BASE}/studies/${generatedUid(small, 0)}`] }, '00201208': { vr: 'IS', Value: [200] }, '00080061': { vr: 'CS', Value: ['MR'] } });
    const [series] = await find('', 'series', { studyInstanceUid: generatedUid(small, 0) });
    expect(series).toMatchObject({ '00400244': { vr: 'DA' }, '00201209': { Value: [100] }, '0020000D': { Value: [generatedUid(small, 0)] } });
    expect(series).not.toHaveProperty('00100010');
  });
  it('adds what was asked for, and all with includefield=all', async () => {
    const query = `StudyInstanceUID=${generatedUid(small, 0)}`;
    expect((await find(`${query}&includefield=StudyDescription,00101010`))[0]).toMatchObject({ '00081030': { Value: ['Generated study'] }, '00101010': { Value: ['054Y'] } });
    const [all] = await find(`${query}&includefield=all`);
    expect(all).toMatchObject({ '00081030': {}, '00080062': {}, '00081190': {} });
    expect(Object.keys(all!)).toEqual(Object.keys(all!).toSorted());
    expect((await find(`SOPInstanceUID=${generatedUid(small, 0, 1, 1)}&includefield=all`, 'instance'))[0]).toMatchObject({ '00080008': {}, '00100010': {}, '0008103E': {}, '0020000E': {} });
  });
  it.each<[string, number, Parameters<typeof plan>]>([
    ['study', 1, [`StudyInstanceUID=${generatedUid(small, 2)}`]],
    ['study list by comma', 2, [`StudyInstanceUID=${generatedUid(small, 0)},${generatedUid(small, 2)}`]],
    ['series of a study', 2, ['', 'series', { studyInstanceUid: generatedUid(small, 0) }]],
    ['series anywhere', 1, [`SeriesInstanceUID=${generatedUid(small, 0, 2)}`, 'series']],
    ['instances of a study', 200, ['', 'instance', { studyInstanceUid: generatedUid(small, 0) }]],
    ['instances of a series', 100, ['', 'instance', { studyInstanceUid: generatedUid(small, 0), seriesInstanceUid: generatedUid(small, 0, 1) }]],
    ['instances anywhere', 2, [`SOPInstanceUID=${generatedUid(small, 0, 1, 1)},${generatedUid(small, 2, 1, 1)}`, 'instance']],
    ['instances by wildcard and number', 18, ['StudyID=S?&Rows=512&InstanceNumber=7', 'instance']],
    ['a series in another study', 0, ['', 'series', { studyInstanceUid: generatedUid({}, 5), seriesInstanceUid: generatedUid(small, 0, 1) }]],
    ['both of a patient', 2, ['PatientID=PID77']],
    ['by modality of series', 2, ['Modality=MR', 'series', { studyInstanceUid: generatedUid(small, 0) }]],
    ['by another modality', 0, ['Modality=CT', 'series', { studyInstanceUid: generatedUid(small, 0) }]],
    ['pattern characters of SQL', 0, ['PatientID=PID7_']],
    ['quotes', 0, ["AccessionNumber=' or 1=1 --"]],
  ])('%s: %d', async (_, count, request) => {
    const found = await find(...request);
    expect(found).toHaveLength(count);
  });
  it('finds names by any group, in any case, with and without wildcards', async () => {
    expect(await find('PatientName=%E5%B1%B1%E7%94%B0*&limit=1000')).toHaveLength(500);
    expect(await find('PatientName=*%3D*&limit=1000')).toHaveLength(500);
    expect(await find('PatientName=*%E7%94%B0^%E5%A4%AA*&limit=5')).toHaveLength(5);
    expect(await find(`PatientName=${encodeURIComponent('やまだ^たろう')}&limit=5`)).toHaveLength(5);
    expect(await find(`PatientName=${encodeURIComponent('やまだ')}&limit=5`)).toHaveLength(0);
    const lower = await find('PatientName=frnson^*&limit=1000');
    expect(lower.length).toBeGreaterThan(0);
    expect(lower).toEqual(await find('PatientName=FRNSON*&limit=1000'));
  });
  it('combines dates with modalities and times', async () => {
    const ranged = await find('StudyDate=20200101-20200114&ModalitiesInStudy=CT&limit=1000');
    expect(ranged.length).toBeGreaterThan(0);
    expect(ranged.every((study) => String(study['00080020']!.Value![0]) >= '20200101' && study['00080061']!.Value![0] === 'CT')).toBe(true);
    expect(await find('StudyDate=20200101-20200114&StudyTime=0900-0800&ModalitiesInStudy=C*&limit=1')).toHaveLength(1);
    expect(await find(`StudyTime=0831-&StudyInstanceUID=${generatedUid({}, 1)}`)).toHaveLength(0);
    expect(await find(`StudyTime=2200-0830&StudyInstanceUID=${generatedUid({}, 1)}`)).toHaveLength(1);
  });
  it('never shows another tenant’s', async () => {
    const uid = generatedUid({ root: '1.9.9' }, 0);
    expect(await find(`StudyInstanceUID=${uid}`)).toHaveLength(0);
    for (const level of ['study', 'series', 'instance'] as const) {
      expect(await find(`StudyInstanceUID=${uid}`, level, {}, 'other')).not.toHaveLength(0);
      const { text, parameters } = planToSql(plan('', level, {}, 'other'), BASE);
      expect(tenantsNamed(text)).toEqual(tablesNamed(text));
      const scoped = planToSql(plan('', level, { studyInstanceUid: uid, seriesInstanceUid: `${uid}.1` }, 'other'), null);
      if (level === 'instance') expect(tenantsNamed(scoped.text)).toEqual(tablesNamed(scoped.text));
      expect(parameters[0]).toBe('other');
    }
  });
});

describe('pages', () => {
  it.each<[string, SearchLevel, SearchScope, number]>([
    ['', 'study', {}, 997],
    ['ModalitiesInStudy=CT', 'study', {}, 1000],
    ['StudyDate=20200101-20200105', 'series', {}, 7],
    ['', 'series', { studyInstanceUid: generatedUid(small, 0) }, 1],
    ['', 'instance', { studyInstanceUid: generatedUid(small, 0) }, 30],
    ['', 'instance', { studyInstanceUid: generatedUid(small, 0), seriesInstanceUid: generatedUid(small, 0, 1) }, 30],
    ['PatientID=PID1', 'instance', {}, 70],
  ])('W18 of %s at level %s follow one another without gap or repetition', async (query, level, scope, size) => {
    const key = { study: '0020000D', series: '0020000E', instance: '00080018' }[level];
    const whole = (await search.page(plan(`${query}&limit=25000`, level, scope), BASE)).documents.map((document) => uidOf(document, key));
    const paged: string[] = [];
    let cursor: string | undefined = '';
    for (let pages = 0; cursor !== undefined && pages < 200; pages++) {
      const page: Awaited<ReturnType<CatalogSearch['page']>> = await search.page(plan(`${query}&limit=${size}${cursor && `&cursor=${cursor}`}`, level, scope), BASE);
      paged.push(...page.documents.map((document) => uidOf(document, key)));
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(whole);
    expect(new Set(paged).size).toBe(whole.length);
  });
  it('W18 by offset are the same pages', async () => {
    const page = await search.page(plan('limit=5&offset=9000'), BASE);
    const whole = await search.page(plan('limit=9005'), BASE);
    expect(page.documents).toEqual(whole.documents.slice(9000));
  });
  it('refuse a cursor of another search, of another tenant, or made up, and an offset too far', async () => {
    const { nextCursor } = await search.page(plan('ModalitiesInStudy=CT&limit=1'), BASE);
    for (const [query, tenant] of [['ModalitiesInStudy=MR', 'default'], ['ModalitiesInStudy=CT', 'other']] as const) {
      await expect(search.page(plan(`${query}&cursor=${nextCursor!}`, 'study', {}, tenant), BASE)).rejects.toThrow(/cursor/);
    }
    for (const cursor of ['x', Buffer.from('{}').toString('base64url'), Buffer.from('["a",1]').toString('base64url')]) {
      await expect(search.page(plan(`cursor=${cursor}`), BASE)).rejects.toThrow(/cursor/);
    }
    expect(() => plan('offset=10001')).toThrow(/10000/);
  });
});
