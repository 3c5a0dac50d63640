import { BIGINT, DOUBLE, INTEGER, VARCHAR } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBInstance, DuckDBResultReader } from '@duckdb/node-api';
import type { Row } from './decode.ts';

/**
 * A bound parameter: a text, a double, `{ limit }`, a number of rows, or `{ count }`, a whole number to compare with a
 * BIGINT column (as a double it would keep DuckDB from skipping row groups).
 */
export type Parameter = string | number | { readonly limit: number } | { readonly count: number };

const MAX_LIMIT = 2 ** 31 - 1;

const clamp = (value: number, max: number): number => Math.max(0, Math.min(Math.trunc(value), max));

const typeOf = (parameter: Parameter) => {
  if (typeof parameter === 'string') return VARCHAR;
  if (typeof parameter === 'number') return DOUBLE;
  return 'limit' in parameter ? INTEGER : BIGINT;
};

const valueOf = (parameter: Parameter): string | number | bigint => {
  if (typeof parameter !== 'object') return parameter;
  if ('limit' in parameter) return clamp(parameter.limit, MAX_LIMIT);
  return BigInt(clamp(parameter.count, Number.MAX_SAFE_INTEGER));
};

/** Runs one statement with bound values. */
export function read(
  connection: DuckDBConnection,
  sql: string,
  parameters: readonly Parameter[] = [],
): Promise<DuckDBResultReader> {
  return connection.runAndReadAll(sql, parameters.map(valueOf), parameters.map(typeOf));
}

/**
 * A connection for queries: they see a snapshot and never wait for a commit. One at a time: queries that wait inside
 * DuckDB would hold the threads that commits need. There are three queues, and libuv has four threads.
 */
export class QueryQueue {
  readonly #connection: DuckDBConnection;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  static async open(instance: DuckDBInstance): Promise<QueryQueue> {
    return new QueryQueue(await instance.connect());
  }

  /** The result by rows, when the work before it has ended. */
  rows(sql: string, parameters: readonly Parameter[] = []): Promise<readonly Row[]> {
    return this.run(async (connection) => (await read(connection, sql, parameters)).getRowObjectsJS());
  }

  /** The result by columns, in the order of the query: cheaper where there are thousands of rows. */
  columns(sql: string, parameters: readonly Parameter[] = []): Promise<readonly (readonly unknown[])[]> {
    return this.run(async (connection) => (await read(connection, sql, parameters)).getColumnsJS());
  }

  /** Several statements with nothing between them. */
  run<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const result = this.#tail.then(() => work(this.#connection));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Waits for the queries under way. */
  async close(): Promise<void> {
    await this.#tail;
    this.#connection.closeSync();
  }
}
