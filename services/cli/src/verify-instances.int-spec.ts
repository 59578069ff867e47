import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NotFoundError } from '@perennia/errors';
import { JobQueue } from '@perennia/jobs';
import { PlaceReader } from '@perennia/storage';
import { cloneTemplateDatabase, generateCatalogue, generatedUid, type TestDatabase } from '@perennia/testing';
import { InstanceVerifier, PAGE, type VerifyReport } from './verify-instances.js';

const INSTANCES = 20_000;

/** Nothing stands anywhere. */
class EmptyPlaces extends PlaceReader {
  read(): never {
    throw new NotFoundError('There is nothing.');
  }
  readStream(): never {
    throw new NotFoundError('There is nothing.');
  }
}

interface PlanNode {
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  Plans?: PlanNode[];
}
function* nodesOf(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const child of node.Plans ?? []) yield* nodesOf(child);
}

describe('InstanceVerifier', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await cloneTemplateDatabase();
    await generateCatalogue(database.imaging, { studies: 200, seriesPerStudy: 1, instancesPerSeries: INSTANCES / 200 });
    await database.imaging.query('analyze imaging.instance');
  }, 60_000);
  afterAll(() => database.close());

  const verify = (study?: string): Promise<VerifyReport> => new InstanceVerifier(database.imaging, new EmptyPlaces(), new JobQueue(database.imaging)).verify(study, () => undefined);

  it('given instances whose copies nobody knows, when all are verified, then each is met once and told', async () => {
    const { instances, copies, damaged } = await verify();
    expect({ instances, copies, uids: new Set(damaged.map(({ sopInstanceUid }) => sopInstanceUid)).size }).toEqual({ instances: INSTANCES, copies: 0, uids: INSTANCES });
    expect(damaged[0]).toMatchObject({ place: 'nowhere', reason: 'no copy of it is recorded' });
  });

  it('given one study, then only its instances are met', async () => {
    expect(await verify(generatedUid({}, 7))).toMatchObject({ instances: INSTANCES / 200 });
  });

  it('given many instances, when a page in the middle of them is asked for, then no more of them are read than it has', async () => {
    const [row] = await database.imaging.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`explain (analyze, format json) ${PAGE}`, [40, '00000000-0000-0000-0000-000000000000', null, 500]);
    const read = [...nodesOf(row!['QUERY PLAN'][0].Plan)].filter((node) => node['Relation Name']?.startsWith('instance'));
    const rows = read.reduce((sum, node) => sum + node['Actual Rows'] * node['Actual Loops'], 0);
    expect(rows).toBeGreaterThan(0);
    expect(rows).toBeLessThan(600);
  });
});
