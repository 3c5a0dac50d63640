import type { AnomalyRecord } from '../../operators/steps/anomaly.ts';
import type { TwinRecord } from '../../operators/steps/twin.ts';
import type { WindowAggregate } from '../../operators/types.ts';
import type { SmoothedRecord } from '../smoothed.ts';
import {
  decodeAggregate,
  decodeAnomaly,
  decodeDeadLetter,
  decodeQuarantined,
  decodeReading,
  decodeSmoothed,
  decodeTwin,
  decodeWindow,
} from './decode.ts';
import type { Row } from './decode.ts';
import type { Parameter, QueryQueue } from './queryQueue.ts';
import { SCHEMA_VERSION } from './schema.ts';
import {
  AGGREGATE,
  ANOMALIES,
  DEAD_LETTERS,
  LATEST,
  NEWEST_RECEIVED,
  OLDEST,
  QUARANTINED,
  RANGE,
  SMOOTHED,
  TWINS,
  WINDOWS,
  WINDOW_STARTS,
} from './sql.ts';
import type { AggregateRow, QuarantinedPoint, RangeQuery, StoredDeadLetter, StoredReading } from './store.ts';

/** The queries of the API, the CLI and people, on a connection of their own. */
export class Queries {
  readonly #queue: QueryQueue;
  readonly #version: number;

  /** @param version of the tables: a file that is opened for reading only may be of an earlier one. */
  constructor(queue: QueryQueue, version = SCHEMA_VERSION) {
    this.#queue = queue;
    this.#version = version;
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

  async smoothed(query: RangeQuery): Promise<readonly SmoothedRecord[]> {
    return this.#version < 3 ? [] : (await this.rows(SMOOTHED, bounds(query))).map(decodeSmoothed);
  }

  async anomalies({
    asset,
    start,
    end,
    limit,
  }: Omit<RangeQuery, 'sensor'>): Promise<readonly AnomalyRecord[]> {
    if (this.#version < 3) return [];
    return (await this.rows(ANOMALIES, [asset, start, end, { limit }])).map(decodeAnomaly);
  }

  async twins({ asset, start, end, limit }: Omit<RangeQuery, 'sensor'>): Promise<readonly TwinRecord[]> {
    return (await this.rows(TWINS, [asset, start, end, { limit }])).map(decodeTwin);
  }

  async newestReceived(asset: string, sensor: string): Promise<number | null> {
    const [row] = await this.#queue.rows(NEWEST_RECEIVED, [asset, sensor]);
    const newest = row?.['newest'];
    return typeof newest === 'number' ? newest : null;
  }

  async quarantined(limit: number): Promise<readonly QuarantinedPoint[]> {
    return (await this.#queue.rows(QUARANTINED, [{ limit }])).map(decodeQuarantined);
  }

  async deadLetters(limit: number): Promise<readonly StoredDeadLetter[]> {
    return (await this.rows(DEAD_LETTERS, [{ limit }])).map(decodeDeadLetter);
  }

  rows(sql: string, parameters: readonly Parameter[] = []): Promise<readonly Row[]> {
    return this.#queue.rows(sql, parameters);
  }

  close(): Promise<void> {
    return this.#queue.close();
  }
}

const bounds = ({ asset, sensor, start, end, limit }: RangeQuery): Parameter[] => [
  asset,
  sensor,
  start,
  end,
  { limit },
];
