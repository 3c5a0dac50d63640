import type { FluxTableColumn, FluxTableMetaData } from '@influxdata/influxdb-client';
import type { AggregateRow, StoredReading } from '../store.ts';
import { AGGREGATES } from './fluxQueries.ts';
import type { Aggregate } from './fluxQueries.ts';

/*
 * Rows of InfluxDB's answers in the shapes of the store. A table need not have every column, nor its columns in one
 * order: a field that no point of a series has ever had is not there.
 */

type Columns = ReadonlyMap<string, FluxTableColumn>;

/** The columns of a table by name; looked up once a table and not once a row. */
function columnsOf(cache: WeakMap<FluxTableMetaData, Columns>, table: FluxTableMetaData): Columns {
  const known = cache.get(table);
  if (known !== undefined) return known;
  const columns = new Map(table.columns.map((column) => [column.label, column]));
  cache.set(table, columns);
  return columns;
}

class Cells {
  readonly #columns: Columns;
  readonly #values: string[];

  constructor(columns: Columns, values: readonly string[]) {
    this.#columns = columns;
    this.#values = [...values];
  }

  get(name: string): unknown {
    return this.#columns.get(name)?.get(this.#values);
  }

  /** null where there is none, and for NaN and the infinities, which are no figures to show. */
  number(name: string): number | null {
    const value = this.get(name);
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  }

  text(name: string): string {
    const value = this.get(name);
    return typeof value === 'string' ? value : '';
  }

  time(name: string): number {
    const text = this.text(name);
    const time = parseRfc3339Nano(text);
    if (Number.isNaN(time)) throw new TypeError(`the answer has the time ${JSON.stringify(text)}`);
    return time;
  }
}

/** Epoch milliseconds; what stands behind the microsecond takes part as far as a double holds it. NaN where it is no such time. */
export function parseRfc3339Nano(text: string): number {
  const [, seconds, fraction, zone] =
    /^(-?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  if (seconds === undefined || zone === undefined) return NaN;
  const ms = Date.parse(`${seconds}${zone}`);
  return fraction === undefined ? ms : ms + Number(fraction.padEnd(9, '0')) / 1e6;
}

/** Gathers the rows of `latestQuery` and `rangeQuery`. */
export class ReadingRows {
  readonly #asset: string;
  readonly #sensor: string;
  readonly #columns = new WeakMap<FluxTableMetaData, Columns>();
  readonly #rows: StoredReading[] = [];

  constructor(asset: string, sensor: string) {
    this.#asset = asset;
    this.#sensor = sensor;
  }

  readonly add = (values: readonly string[], table: FluxTableMetaData): void => {
    const cells = new Cells(columnsOf(this.#columns, table), values);
    const estimate = cells.number('estimate');
    const ratePerS = cells.number('estimate_rate_per_s');
    const stdDev = cells.number('estimate_std_dev');
    const quality = cells.text('quality');
    this.#rows.push({
      row: 0,
      asset: this.#asset,
      sensor: this.#sensor,
      timestamp: cells.time('_time'),
      value: cells.number('value'),
      unit: cells.text('unit'),
      // A point that says nothing of its quality was not written by rxtwin.
      quality: quality === '' ? 'Uncertain' : quality,
      issues: [],
      imputed: cells.get('imputed') === true,
      raw: null,
      estimate:
        estimate === null || ratePerS === null || stdDev === null
          ? null
          : { value: estimate, ratePerS, stdDev },
    });
  };

  /** Oldest first. Points of one time, which differ in quality or unit, stay as they came. */
  sorted(): StoredReading[] {
    return this.#rows.sort((a, b) => a.timestamp - b.timestamp);
  }
}

const isAggregate = (name: string): name is Aggregate => AGGREGATES.some((known) => known === name);

/** Gathers the rows of `aggregateQuery`: the windows of all series of the sensor, put together. */
export class WindowRows {
  readonly #windowMs: number;
  readonly #columns = new WeakMap<FluxTableMetaData, Columns>();
  readonly #windows = new Map<number, Record<Aggregate, number>>();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  readonly add = (values: readonly string[], table: FluxTableMetaData): void => {
    const cells = new Cells(columnsOf(this.#columns, table), values);
    const name = cells.text('result');
    const value = cells.number('_value');
    if (!isAggregate(name) || value === null) return;
    const start = cells.time('_time');
    const window = this.#windows.get(start) ?? { all: 0, count: 0, sum: 0, min: Infinity, max: -Infinity };
    if (name === 'min') window.min = Math.min(window.min, value);
    else if (name === 'max') window.max = Math.max(window.max, value);
    else window[name] += value;
    this.#windows.set(start, window);
  };

  /** Oldest first. */
  sorted(): AggregateRow[] {
    const windows = [...this.#windows].sort(([a], [b]) => a - b);
    return windows.map(([start, { all, count, sum, min, max }]) => ({
      start,
      end: start + this.#windowMs,
      count,
      badCount: Math.max(0, all - count),
      mean: finite(sum / count),
      min: finite(min),
      max: finite(max),
      ...{ timeWeightedMean: null, stdDev: null, first: null, last: null },
    }));
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
