// Opaque cursors of `Link: rel="next"`: the keys of the last row, bound to the search they come from. A cursor holds nothing
// that the asker did not just receive; it is checked, not trusted, since its keys only ever become bound parameters.
import { createHash } from 'node:crypto';
import { DicomWebError } from '@perennia/dicom-web';
import type { SearchPlan } from './search-plan.js';

export type CursorKeys = readonly (string | number)[];

/** Same tenant, level, scope and filters: the page size and what is returned may change on the way. */
function fingerprint({ tenantId, level, scope, filters }: SearchPlan): string {
  return createHash('sha256').update(JSON.stringify([tenantId, level, scope, filters])).digest('base64url').slice(0, 12);
}

export function encodeCursor(plan: SearchPlan, keys: CursorKeys): string {
  return Buffer.from(JSON.stringify([fingerprint(plan), ...keys])).toString('base64url');
}

/** @param kinds the type of each key; @throws DicomWebError when the cursor is not one of this search */
export function decodeCursor(plan: SearchPlan, kinds: readonly ('text' | 'uuid' | 'integer')[]): CursorKeys | null {
  if (plan.cursor === undefined) return null;
  const wrong = new DicomWebError('syntax', 'cursor does not belong to this search; begin again without it');
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(plan.cursor, 'base64url').toString());
  } catch (error) {
    if (error instanceof SyntaxError) throw wrong;
    throw error;
  }
  if (!Array.isArray(content) || content.length !== kinds.length + 1 || content[0] !== fingerprint(plan)) throw wrong;
  const keys = content.slice(1) as unknown[];
  if (!keys.every((key, index) => VALID[kinds[index]!](key))) throw wrong;
  return keys as CursorKeys;
}

const VALID: Readonly<Record<'text' | 'uuid' | 'integer', (key: unknown) => boolean>> = {
  text: (key) => typeof key === 'string' && key.length <= 64,
  uuid: (key) => typeof key === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(key),
  integer: (key) => Number.isSafeInteger(key),
};
