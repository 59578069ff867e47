import { describe, expect, it } from '@jest/globals';
import { permitsMove } from './permits-move.js';

describe('D09 permitsMove', () => {
  it('given no list, then any known source may have objects moved there', () => {
    expect(permitsMove({ moveCallers: [] }, 'ANY')).toBe(true);
  });
  it('given a list, then those on it may, in the same upper and lower case, and nobody else', () => {
    const node = { moveCallers: ['PACS', 'READING1'] };
    expect(['PACS', 'READING1', 'pacs', 'PACS2', ''].map((callingAet) => permitsMove(node, callingAet))).toEqual([true, true, false, false, false]);
  });
});
