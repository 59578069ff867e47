// The two planes. On one node both are schemas of one database, but no transaction ever spans them, so that splitting them
// later changes a connection string only.
import type { ClientBase } from 'pg';
import { QueryFailedError, type DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { withArrayLiterals } from './array-literal.js';
import { statementName } from './statement-name.js';
import { isTransactionCollision, toArchiveError } from './to-archive-error.js';

/** Runs SQL with bound parameters ($1 …) and gives the rows, of `update … returning` too. bigint comes as number. */
export interface SqlRunner {
  query<Row = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** The same for a text that is a constant and runs all day: each connection has it parsed and planned once. */
  prepared<Row = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

/** How often a transaction is run at most when it collides with others (serialization failure, deadlock). */
const MAX_ATTEMPTS = 5;

abstract class PlaneDatabase implements SqlRunner {
  constructor(readonly dataSource: DataSource) {}

  query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.withRunner((runner) => rows<Row>(runner, sql, parameters));
  }

  prepared<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.withRunner((runner) => preparedRows<Row>(runner, sql, parameters));
  }

  private async withRunner<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      return await work(runner);
    } finally {
      await runner.release();
    }
  }

  /**
   * One transaction of this plane; READ COMMITTED. Run again, five times at most, when the server gave it up because of a
   * collision: `work` must have no effect outside the transaction. Keep it short: a long one holds the outbox relay back.
   */
  async transaction<T>(work: (sql: SqlRunner, manager: EntityManager) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      let own: unknown;
      try {
        return await this.dataSource.transaction(async (manager) => {
          const runner = manager.queryRunner!;
          const sql: SqlRunner = {
            query: <Row>(text: string, parameters: readonly unknown[] = []) => rows<Row>(runner, text, parameters),
            prepared: <Row>(text: string, parameters: readonly unknown[] = []) => preparedRows<Row>(runner, text, parameters),
          };
          return work(sql, manager).catch((error: unknown) => {
            own = error;
            throw error;
          });
        });
      } catch (cause) {
        // An error of the work is not ours to interpret, a missing file is no missing database, unless it came by the manager.
        const error = cause === own && !(cause instanceof QueryFailedError) ? cause : toArchiveError(cause);
        // No pause: the other one holds the locks, and we wait for them in the server.
        if (attempt >= MAX_ATTEMPTS || !isTransactionCollision(error)) throw error;
      }
    }
  }
}

async function rows<Row>(runner: QueryRunner, sql: string, parameters: readonly unknown[]): Promise<Row[]> {
  try {
    const result = await runner.query(sql, withArrayLiterals(parameters), true);
    return (result.records ?? []) as Row[];
  } catch (error) {
    throw toArchiveError(error);
  }
}

/** TypeORM has no prepared statements: its connection, which is one of pg, has. */
async function preparedRows<Row>(runner: QueryRunner, sql: string, parameters: readonly unknown[]): Promise<Row[]> {
  try {
    const connection = (await runner.connect()) as ClientBase;
    return (await connection.query({ name: statementName(sql), text: sql, values: withArrayLiterals(parameters) })).rows as Row[];
  } catch (error) {
    throw toArchiveError(error);
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
