import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ConflictError, InvalidInputError, NotFoundError } from '@perennia/errors';
import { cloneTemplateDatabase, type TestDatabase } from '@perennia/testing';
import { Clock } from '@perennia/telemetry';
import { NodeDirectory } from './node-directory.js';
import { REMOTE_NODE_DEFAULTS, type RemoteNodeSettings } from './remote-node.js';

class StandingClock extends Clock {
  ms = 1000;
  nowMs(): number {
    return this.ms;
  }
  monotonicMs(): number {
    return this.ms;
  }
  sleep(): Promise<void> {
    return Promise.resolve();
  }
}

const aNode = (over: Partial<RemoteNodeSettings> = {}): RemoteNodeSettings => ({ ...REMOTE_NODE_DEFAULTS, aeTitle: 'VIEWER', host: 'viewer.example', port: 104, ...over });

describe('NodeDirectory', () => {
  let database: TestDatabase;
  let clock: StandingClock;
  let directory: NodeDirectory;
  /** What another process does. */
  const elsewhere = (): NodeDirectory => new NodeDirectory(database.control, clock, { cacheMs: 0 });

  beforeAll(async () => {
    database = await cloneTemplateDatabase();
    await database.control.query(`insert into control.tenant (tenant_id, name) values ('other', 'Other')`);
  });
  afterAll(() => database.close());
  beforeEach(() => {
    clock = new StandingClock();
    directory = new NodeDirectory(database.control, clock);
  });
  afterEach(() => database.control.query('delete from control.remote_node'));

  it('gives back what was added, with its tenant and times', async () => {
    const settings = aNode({ tls: true, description: 'Reading room', moveCallers: ['PACS', 'a "quoted", one'], maxAssociations: 4 });
    const added = await directory.add('default', settings);
    expect(added).toEqual({ ...settings, tenantId: 'default', createdAt: expect.any(Date), changedAt: added.createdAt });
    expect(await directory.list('default')).toEqual([added]);
    expect(await directory.get('default', 'VIEWER')).toEqual(added);
  });

  it('given defaults, then it is plain, for any known source, with two associations at once (D03)', async () => {
    expect(await directory.add('default', aNode())).toMatchObject({ tls: false, moveCallers: [], maxAssociations: 2 });
  });

  it('given a node that is there, when added again, then it is refused and stays, and when put, then it is changed', async () => {
    const first = await directory.add('default', aNode());
    await expect(directory.add('default', aNode({ port: 105 }))).rejects.toThrow(ConflictError);
    expect(await directory.list('default')).toEqual([first]);
    const changed = await directory.put('default', aNode({ port: 105 }));
    expect(changed).toMatchObject({ port: 105, createdAt: first.createdAt });
    expect(changed.changedAt.getTime()).toBeGreaterThan(first.changedAt.getTime());
    expect(await directory.put('default', aNode({ aeTitle: 'NEW' }))).toMatchObject({ aeTitle: 'NEW' });
  });

  it('given tenants with nodes of the same AE title, then each finds, lists and removes its own', async () => {
    await directory.add('default', aNode({ host: 'one.example' }));
    await directory.add('other', aNode({ host: 'two.example' }));
    expect(await directory.find('other', 'VIEWER')).toMatchObject({ host: 'two.example' });
    await directory.remove('other', 'VIEWER');
    expect((await directory.list('default')).map(({ host }) => host)).toEqual(['one.example']);
    expect(await directory.find('other', 'VIEWER')).toBeUndefined();
  });

  it('lists by AE title', async () => {
    for (const aeTitle of ['CT', 'a', 'ARCHIVE', '2ND']) await directory.add('default', aNode({ aeTitle }));
    expect((await directory.list('default')).map(({ aeTitle }) => aeTitle)).toEqual(['2ND', 'ARCHIVE', 'CT', 'a']);
  });

  it('finds a padded AE title, and no other case of it', async () => {
    await directory.add('default', aNode());
    expect(await directory.find('default', 'VIEWER          ')).toMatchObject({ aeTitle: 'VIEWER' });
    expect(await directory.find('default', ' VIEWER')).toMatchObject({ aeTitle: 'VIEWER' });
    expect(await directory.find('default', 'viewer')).toBeUndefined();
  });

  it('says what is not there', async () => {
    await expect(directory.get('default', 'NOBODY')).rejects.toThrow('There is no remote node NOBODY');
    await expect(directory.remove('default', 'NOBODY')).rejects.toThrow(NotFoundError);
    await expect(directory.add('nowhere', aNode())).rejects.toThrow('There is no tenant nowhere');
  });

  it('checks values before they reach the database, which would refuse them too', async () => {
    await expect(directory.add('default', aNode({ port: 0 }))).rejects.toThrow(InvalidInputError);
    const insert = (aeTitle: string, port = 104): Promise<unknown> => database.control.query('insert into control.remote_node (tenant_id, ae_title, host, port) values ($1, $2, $3, $4)', ['default', aeTitle, 'x', port]);
    for (const wrong of ['', ' LEFT', 'RIGHT ', 'BACK\\SLASH', 'seventeen-letters', 'UMLÄUT', 'TAB\t']) await expect(insert(wrong)).rejects.toThrow(InvalidInputError);
    await expect(insert('OK', 65_536)).rejects.toThrow(InvalidInputError);
    await insert('with blank [1]~');
  });

  it('serves lookups of known and unknown names from one read for five seconds, and sees changes of others after that', async () => {
    expect(await directory.find('default', 'VIEWER')).toBeUndefined();
    await elsewhere().add('default', aNode());
    clock.ms += 4999;
    expect(await directory.find('default', 'VIEWER')).toBeUndefined();
    clock.ms += 1;
    expect(await directory.find('default', 'VIEWER')).toBeDefined();
    await elsewhere().remove('default', 'VIEWER');
    expect(await directory.find('default', 'VIEWER')).toBeDefined();
    clock.ms += 5000;
    expect(await directory.find('default', 'VIEWER')).toBeUndefined();
  });

  it('sees its own changes at once', async () => {
    await directory.find('default', 'VIEWER');
    await directory.add('default', aNode());
    expect(await directory.find('default', 'VIEWER')).toMatchObject({ port: 104 });
    await directory.put('default', aNode({ port: 105 }));
    expect(await directory.find('default', 'VIEWER')).toMatchObject({ port: 105 });
    await directory.remove('default', 'VIEWER');
    expect(await directory.find('default', 'VIEWER')).toBeUndefined();
  });

  it('given a read that failed, then the next lookup reads again', async () => {
    let fails = true;
    const { control } = database;
    const flaky = new Proxy(control, {
      get: (target, name) => (name === 'query' && fails ? () => Promise.reject(new Error('away')) : Reflect.get(target, name, target)),
    });
    const reader = new NodeDirectory(flaky, clock);
    await expect(reader.find('default', 'VIEWER')).rejects.toThrow('away');
    fails = false;
    expect(await reader.find('default', 'VIEWER')).toBeUndefined();
  });
});
