// Names under which the server keeps the plans of statements that run all day, for as long as a connection lasts. Of a batch of ten
// instances, parsing and planning were two thirds of the database's work.
import { createHash } from 'node:crypto';

const names = new Map<string, string>();

/** The same for the same text. To be used for texts that are constants: each takes memory in every connection. */
export function statementName(sql: string): string {
  let name = names.get(sql);
  if (name === undefined) names.set(sql, (name = `s${createHash('sha256').update(sql).digest('hex').slice(0, 16)}`));
  return name;
}
