// The schemas of the archive, brought to what this release knows: every start does it, and `vna migrate`.
import { PostgresEventLog } from '@perennia/event-log-postgres';
import { migrateSchema, pendingMigrations, planeSchemas, type SchemaMigrations } from '@perennia/persistence';

const schemasOf = (url: string): SchemaMigrations[] => [...planeSchemas({ controlUrl: url, imagingUrl: url }), PostgresEventLog.schema(url)];

/** Migrations that would be run, by schema; changes nothing. @throws SchemaTooNewError when a newer release has migrated any of the schemas */
export async function pendingBySchema(url: string): Promise<Record<string, string[]>> {
  const pending: Record<string, string[]> = {};
  for (const each of schemasOf(url)) pending[each.schema] = await pendingMigrations(each);
  return pending;
}

/**
 * All schemas are looked at before the first is changed: what is refused stays as it is. Safe under concurrent starts.
 * @returns how many migrations were run, by schema; @throws SchemaTooNewError, MigrationFailedError
 */
export async function migrateDatabases(url: string): Promise<Record<string, number>> {
  await pendingBySchema(url);
  const applied: Record<string, number> = {};
  for (const { schema, migrations } of schemasOf(url)) applied[schema] = await migrateSchema(url, schema, migrations);
  return applied;
}
