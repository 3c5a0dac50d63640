import { DOUBLE, INTEGER, VARCHAR } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { TwinRecord } from '../../operators/steps/twin.ts';
import type { WindowAggregate } from '../../operators/types.ts';
import { decodeAggregate, decodeDeadLetter, decodeReading, decodeTwin, decodeWindow } from './decode.ts';
import type { Row } from './decode.ts';
import { AGGREGATE, DEAD_LETTERS, LATEST, OLDEST, RANGE, TWINS, WINDOWS, WINDOW_STARTS } from './sql.ts';
import type { AggregateRow, RangeQuery, StoredDeadLetter, StoredReading } from './store.ts';

/** A bound parameter: a text, a double, or `{ limit }`, a number of rows. */
type Parameter = string | number | { readonly limit: number };

const MAX_LIMIT = 2 ** 31 - 1;

const typeOf = (parameter: Parameter) =>
  typeof parameter === 'string' ? VARCHAR : typeof parameter === 'number' ? DOUBLE : INTEGER;

const valueOf = (parameter: Parameter): string | number =>
  typeof parameter === 'object' ? Math.max(0, Math.min(Math.trunc(parameter.limit), MAX_LIMIT)) : parameter;

/**
 * Queries on a connection of their own, so that they see a snapshot and never wait for a commit. One at a time:
 * queries that wait inside DuckDB would hold the threads that commits need.
 */
export class Queries {
  readonly #connection: DuckDBConnection;
  #tail: Promise<unknown> = Promise.resolve();

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  static async open(instance: DuckDBInstance): Promise<Queries> {
    return new Queries(await instance.connect());
  }

  async latest(asset: string, sensor: string): Promise<StoredReading | null> {
    const [row] = await this.rows(LATEST, [asset, sensor]);
    return row === undefined ? null : decodeReading(row);
  }

  async oldest(asset: string, sensor: string): Promise<number | null> {
    const oldest = (await this.rows(OLDEST, [asset, sensor]))[0]?.['oldest'];
    return typeof oldest === 'number' ? oldest : null;
  }

  async range(query: RangeQuery): Promise<readonly StoredReading[]> {
    return (await this.rows(RANGE, bounds(query))).map(decodeReading);
  }

  async aggregate(query: RangeQuery & { readonly windowMs: number }): Promise<readonly AggregateRow[]> {
    const { asset, sensor, windowMs } = query;
    if (!(windowMs > 0)) throw new RangeError(`windowMs: ${windowMs} is not valid, expected a number > 0`);
    const [starts] = await this.rows(WINDOW_STARTS, [...bounds(query), windowMs]);
    const first = starts?.['first_ms'];
    const last = starts?.['last_ms'];
    if (typeof first !== 'number' || typeof last !== 'number') return [];
    return (await this.rows(AGGREGATE, [asset, sensor, first, last + windowMs, windowMs])).map(
      decodeAggregate,
    );
  }

  async windows(query: RangeQuery & { readonly sizeMs: number }): Promise<readonly WindowAggregate[]> {
    return (await this.rows(WINDOWS, [...bounds(query), query.sizeMs])).map(decodeWindow);
  }

  async twins({ asset, start, end, limit }: Omit<RangeQuery, 'sensor'>): Promise<readonly TwinRecord[]> {
    return (await this.rows(TWINS, [asset, start, end, { limit }])).map(decodeTwin);
  }

  async deadLetters(limit: number): Promise<readonly StoredDeadLetter[]> {
    return (await this.rows(DEAD_LETTERS, [{ limit }])).map(decodeDeadLetter);
  }

  /** Runs one query when those before it have ended. */
  rows(sql: string, parameters: readonly Parameter[] = []): Promise<readonly Row[]> {
    const run = async (): Promise<readonly Row[]> => {
      const values = parameters.map(valueOf);
      const result = await this.#connection.runAndReadAll(sql, values, parameters.map(typeOf));
      return result.getRowObjectsJS();
    };
    const result = this.#tail.then(run);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Waits for the queries under way. */
  async close(): Promise<void> {
    await this.#tail;
    this.#connection.closeSync();
  }
}

const bounds = ({ asset, sensor, start, end, limit }: RangeQuery): Parameter[] => [
  asset,
  sensor,
  start,
  end,
  { limit },
];
