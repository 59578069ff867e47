import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { configurationPage } from './configuration-page.js';

const file = join(import.meta.dirname, '../../../docs/configuration.md');

describe('docs/configuration.md', () => {
  it('given the schemas of all modules, when the page is generated, then it is the one that is checked in (else: npm run generate)', () => {
    expect(readFileSync(file, 'utf8')).toBe(configurationPage());
  });
});
