// Which names of tests count for docs/features.md.
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

interface Claim {
  ids: string[];
  name: string;
}
const { claimsIn } = (await import(join(import.meta.dirname, '../../tools/features-page.mjs'))) as { claimsIn: (source: string) => Claim[] };

describe('a row of the list of features', () => {
  it.each<[string, string, Claim[]]>([
    ['a test', `  it('X01 stores', async () => {`, [{ ids: ['X01'], name: 'stores' }]],
    ['a suite that needs a peer', `(hasBackend('python') ? describe : describe.skip)('X01 a peer', () => {`, [{ ids: ['X01'], name: 'a peer' }]],
    ['a table in one line and in several', `it.each([1])('X01 of %d', f);\n  ])('X02 of %s', f);`, [{ ids: ['X01'], name: 'of %d' }, { ids: ['X02'], name: 'of %s' }]],
    ['a template and a quote', `it(\`X01 \${N} times\`, f); \nit('X02 nobody\\'s', f);`, [{ ids: ['X01'], name: '${N} times' }, { ids: ['X02'], name: `nobody's` }]],
    ['a name in a line of its own', `  ])(\n    'X01: of %s',\n    f);`, [{ ids: ['X01'], name: 'of %s' }]],
    ['several ids', `it('X01 Y02 both', f);`, [{ ids: ['X01', 'Y02'], name: 'both' }]],
  ])('is shown by %s', (_, source, claims) => expect(claimsIn(source)).toEqual(claims));

  it.each([
    ['that is always skipped', `it.skip('X01 stores', f);`],
    ['that is still to be written', `it.todo('X01 stores');`],
    ['in a comment', `  // it('X01 stores', f);`],
    ['that names it elsewhere', `it('stores as X01 says', f);`],
    ['that names a fault point or a figure', `round('K11', f); it('X011 stores', f);`],
  ])('is not shown by a test %s', (_, source) => expect(claimsIn(source)).toEqual([]));
});
