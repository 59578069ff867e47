// Statements that cannot forget the tenant. A statement is compiled once, when its module is loaded: every table of a tenant
// that it names must have its predicate, or the program does not start. Row security was measured and rejected: it disables
// the indexes for LIKE, trigram and array operators.
import { IllegalStateError } from '@perennia/errors';
import type { SqlRunner } from './database.js';

/** Tables whose rows belong to a tenant and say so; `copy` and the rest are only reached through them. */
export const tenantTables: ReadonlySet<string> = new Set([
  'control.issuer', 'control.patient', 'control.patient_identifier', 'control.refusal', 'control.remote_node',
  'imaging.study', 'imaging.series', 'imaging.instance', 'imaging.sop_directory', 'imaging.duplicate', 'imaging.study_change',
]);

/** `$1` is the tenant; further parameters begin at `$2`. */
export interface ScopedStatement {
  readonly sql: string;
  run<Row = Record<string, unknown>>(runner: SqlRunner, tenantId: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

const TABLE_WITH_ALIAS = /\b(control|imaging)\.(\w+)(?:\s+(?:as\s+)?(\w+))?/gi;
const MARKER = /\{tenant (\w+)\}/g;

/**
 * Compiles `select … from imaging.study s where {tenant s} and s.id = $2`: each table of a tenant has an alias, each alias
 * its marker, which becomes `s.tenant_id = $1`.
 * @throws IllegalStateError when a table is named without its predicate
 */
export function tenantScope(text: string): ScopedStatement {
  const marked = new Set([...text.matchAll(MARKER)].map(([, alias]) => alias));
  for (const [, schema, table, alias] of text.matchAll(TABLE_WITH_ALIAS)) {
    if (!tenantTables.has(`${schema}.${table}`)) continue;
    if (alias === undefined || !marked.has(alias)) throw new IllegalStateError(`A statement reads ${schema}.${table} without binding it to a tenant.`);
  }
  const sql = text.replaceAll(MARKER, '$1.tenant_id = $$1');
  return { sql, run: (runner, tenantId, parameters = []) => runner.query(sql, [tenantId, ...parameters]) };
}
