import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cloneTemplateDatabase, type TestDatabase } from '@perennia/testing';
import { arrayLiteral, withArrayLiterals } from './array-literal.js';

describe('array literals', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await cloneTemplateDatabase();
  });
  afterAll(() => database.close());

  it.each([
    ['text', ['plain', '', 'NULL', 'null', 'a,b', '{curly}', '"quoted"', 'back\\slash', '\\"', 'line\nbreak', ' spaces ', 'Żółć 山田', null, undefined]],
    ['bigint', [0, -1, 9007199254740991, null]],
    ['float8', [0.1, -1e-7, 1e300]],
    ['boolean', [true, false, null]],
    ['uuid', ['0190aaaa-0000-7000-8000-000000000001']],
    ['text', []],
  ])('as an array of %s, then the database reads what was meant: %j', async (type, values) => {
    const sql = `select to_json($1::${type}[]) as read`;
    const expected = JSON.parse(JSON.stringify(values)) as unknown;
    expect(typeof arrayLiteral(values)).toBe('string');
    expect(await database.imaging.query(sql, [values])).toEqual([{ read: expected }]);
    expect(await database.imaging.prepared(sql, [values])).toEqual([{ read: expected }]);
  });

  it('leaves other arrays, and what is no array, as they are', () => {
    const parameters = [[Buffer.from('a')], [new Date(0)], [['nested']], [{ a: 1 }], Buffer.from('b'), 'text', 1, null];
    expect(withArrayLiterals(parameters)).toEqual(parameters);
  });
});
