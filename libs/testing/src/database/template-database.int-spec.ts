import { afterAll, describe, expect, it } from '@jest/globals';
import { cloneTemplateDatabase, type TestDatabase } from './template-database.js';

describe('cloneTemplateDatabase', () => {
  const open: TestDatabase[] = [];
  afterAll(() => Promise.all(open.map((database) => database.close())));

  it('gives a migrated database of one’s own', async () => {
    open.push(await cloneTemplateDatabase(), await cloneTemplateDatabase());
    await open[0]!.imaging.query(`insert into imaging.relay_position (owner, generation, offset_bytes) values ('a', 1, 2)`);
    expect(await open[0]!.imaging.query('select offset_bytes from imaging.relay_position')).toEqual([{ offset_bytes: 2 }]);
    expect(await open[1]!.imaging.query('select offset_bytes from imaging.relay_position')).toEqual([]);
    expect(await open[1]!.control.query('select tenant_id from control.tenant')).toEqual([{ tenant_id: 'default' }]);
  });
});
