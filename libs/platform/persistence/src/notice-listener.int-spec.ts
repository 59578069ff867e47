import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cloneTemplateDatabase, type TestDatabase } from '@perennia/testing';
import { NoticeListener } from './notice-listener.js';

describe('NoticeListener', () => {
  let database: TestDatabase;
  let heard = Promise.withResolvers<void>();
  let listener: NoticeListener;
  const notify = (): Promise<unknown> => database.imaging.query(`select pg_notify('something', '')`);

  beforeAll(async () => {
    database = await cloneTemplateDatabase();
    listener = new NoticeListener(database.imaging, 'something', () => heard.resolve());
  });
  afterAll(async () => {
    await listener.close();
    await database.close();
  });

  it('given a notice on its channel, then it hears it', async () => {
    await listener.listen();
    await listener.listen();
    await notify();
    await heard.promise;
    const [row] = await database.imaging.query<{ n: number }>(`select count(*)::int as n from pg_stat_activity where application_name = 'perennia-notices' and datname = current_database()`);
    expect(row!.n).toBe(1);
  });

  it('given a connection that was lost, then the next call listens again', async () => {
    await database.imaging.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'perennia-notices' and datname = current_database()`);
    heard = Promise.withResolvers<void>();
    for (let isHeard = false; !isHeard; ) {
      await listener.listen();
      await notify();
      isHeard = await Promise.race([heard.promise.then(() => true), new Promise<boolean>((resolve) => setTimeout(resolve, 20, false))]);
    }
  });
});
