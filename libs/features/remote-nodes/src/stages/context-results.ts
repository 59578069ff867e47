// The presentation contexts that a peer refused, each with the reason in words (PS3.8 Table 9-18).
import { ContextResult, type RequestedContext } from '@perennia/dicom-net';
import type { RefusedContext } from '../node-verification.js';

const REASONS: Readonly<Record<number, string>> = {
  [ContextResult.userRejection]: 'rejected by the application of the node',
  [ContextResult.noReason]: 'rejected without a reason',
  [ContextResult.abstractSyntaxNotSupported]: 'abstract syntax (SOP class) not supported',
  [ContextResult.transferSyntaxesNotSupported]: 'none of the transfer syntaxes supported',
};

/** @param contexts in the order in which they were proposed: their ids are 1, 3, 5 … @param results by id */
export function refusedContexts(contexts: readonly RequestedContext[], results: ReadonlyMap<number, number>): RefusedContext[] {
  return contexts.flatMap(({ abstractSyntax, transferSyntaxes }, index) => {
    const result = results.get(2 * index + 1);
    if (result === ContextResult.acceptance) return [];
    return [{ abstractSyntax, transferSyntaxes, result, reason: result === undefined ? 'not answered' : (REASONS[result] ?? `undefined result ${result}`) }];
  });
}
