import { describe, expect, it } from '@jest/globals';
import { statusCategory } from './status.js';

describe('status category (PS3.7 Annex C)', () => {
  it.each([
    [0x0000, 'success'], [0xb000, 'warning'], [0xb007, 'warning'], [0x0107, 'warning'], [0x0116, 'warning'], [0x0001, 'warning'],
    [0xff00, 'pending'], [0xff01, 'pending'], [0xfe00, 'cancel'],
    [0x0110, 'failure'], [0x0122, 'failure'], [0x0211, 'failure'], [0xa700, 'failure'], [0xa900, 'failure'], [0xc000, 'failure'],
  ])('%d is %s', (status, category) => {
    expect(statusCategory(status)).toBe(category);
  });
});
