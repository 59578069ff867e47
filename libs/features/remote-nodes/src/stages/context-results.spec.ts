import { describe, expect, it } from '@jest/globals';
import { refusedContexts } from './context-results.js';

const CONTEXTS = ['1.1', '1.2', '1.3'].map((abstractSyntax) => ({ abstractSyntax, transferSyntaxes: ['1.2.840.10008.1.2'] }));
const refused = (...results: [number, number][]): unknown[] => refusedContexts(CONTEXTS, new Map(results)).map(({ abstractSyntax, result, reason }) => [abstractSyntax, result, reason]);

describe('refusedContexts', () => {
  it('tells the results of those that were refused, in the order in which they were proposed', () => {
    expect(refused([5, 9], [1, 0], [3, 3])).toEqual([['1.2', 3, 'abstract syntax (SOP class) not supported'], ['1.3', 9, 'undefined result 9']]);
  });
  it('given a context without an answer, then it is told as not answered', () => {
    expect(refused([1, 0], [3, 0])).toEqual([['1.3', undefined, 'not answered']]);
  });
});
