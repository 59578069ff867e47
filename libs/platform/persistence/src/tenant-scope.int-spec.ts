import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cloneTemplateDatabase, type TestDatabase } from '@perennia/testing';
import { tenantScope, tenantTables } from './tenant-scope.js';

describe('tenantScope', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await cloneTemplateDatabase();
  });
  afterAll(() => database.close());

  it('refuses to compile a statement that names a table of a tenant without its predicate', () => {
    expect(() => tenantScope('select 1 from imaging.study')).toThrow('imaging.study');
    expect(() => tenantScope('select 1 from imaging.study s where s.id = $2')).toThrow('imaging.study');
    expect(() => tenantScope('select 1 from imaging.study s join imaging.series as r on r.study_id = s.id where {tenant s}')).toThrow('imaging.series');
    expect(tenantScope('select 1 from imaging.study s join imaging.copy c on true where {tenant s}').sql).toContain('where s.tenant_id = $1');
  });

  it('shows rows of the one tenant only', async () => {
    const { control } = database;
    for (const tenant of ['default', 'other']) {
      await control.query('insert into control.tenant (tenant_id, name) values ($1, $1) on conflict do nothing', [tenant]);
      const id = randomUUID();
      await control.query('insert into control.patient (patient_id, tenant_id, surviving_id, sex) values ($1, $2, $1, $3)', [id, tenant, 'O']);
    }
    const patients = tenantScope('select p.tenant_id from control.patient p where {tenant p} and p.sex = $2');
    expect(await patients.run(control, 'other', ['O'])).toEqual([{ tenant_id: 'other' }]);
  });

  it('knows every table that has a tenant', async () => {
    const rows = await database.imaging.query<{ name: string }>(
      `select n.nspname || '.' || c.relname as name from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
       where a.attname = 'tenant_id' and n.nspname in ('control', 'imaging') and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'tenant'`);
    expect(new Set(rows.map(({ name }) => name))).toEqual(tenantTables);
  });
});
