import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConflictError } from '@perennia/errors';
import { cloneTemplateDatabase, type TestDatabase } from '@perennia/testing';
import { ConsumerProgress } from './consumer-progress.js';

describe('ConsumerProgress', () => {
  let database: TestDatabase;
  const progress = new ConsumerProgress('control');
  const position = { consumer: 'reconciliation', topic: 't', partition: 2 };
  beforeAll(async () => {
    database = await cloneTemplateDatabase();
  });
  afterAll(() => database.close());

  it('advances from the expected offset only: the effect of a stale owner is rolled back with it', async () => {
    const { control } = database;
    expect(await progress.next(control, position)).toBe(0);
    await expect(progress.advance(control, position, 3, 4)).rejects.toBeInstanceOf(ConflictError);
    await progress.advance(control, position, 0, 10);
    const stale = control.transaction(async (sql) => {
      await sql.query(`insert into control.tenant (tenant_id, name) values ('stale', 'Stale')`);
      await progress.advance(sql, position, 5, 12);
    });
    await expect(stale).rejects.toBeInstanceOf(ConflictError);
    expect(await control.query(`select 1 from control.tenant where tenant_id = 'stale'`)).toEqual([]);
    await progress.advance(control, position, 10, 11);
    expect(await progress.next(control, position)).toBe(11);
  });
});
