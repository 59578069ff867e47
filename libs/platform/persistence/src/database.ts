// The two planes. On one node both are schemas of one database, but no transaction ever spans them, so that splitting them
// later changes a connection string only.
import type { DataSource, EntityManager } from 'typeorm';

/** Runs SQL with bound parameters ($1 …) and gives the rows. */
export interface SqlRunner {
  query<Row = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

abstract class PlaneDatabase implements SqlRunner {
  constructor(readonly dataSource: DataSource) {}

  query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.dataSource.query(sql, parameters as unknown[]) as Promise<Row[]>;
  }

  /** One transaction of this plane; READ COMMITTED. */
  transaction<T>(work: (sql: SqlRunner, manager: EntityManager) => Promise<T>): Promise<T> {
    return this.dataSource.transaction((manager) =>
      work({ query: <Row>(sql: string, parameters: readonly unknown[] = []) => manager.query(sql, parameters as unknown[]) as Promise<Row[]> }, manager),
    );
  }
}

/** Configuration, identity, orders, worklists, ledger, audit: schema `control`. */
export class ControlDatabase extends PlaneDatabase {
  readonly plane = 'control' as const;
}
/** Everything keyed by study: schema `imaging`. */
export class ImagingDatabase extends PlaneDatabase {
  readonly plane = 'imaging' as const;
}
