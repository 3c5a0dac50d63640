import type { InfluxConfig } from '../../../config/types.ts';
import type { AggregateRow, RangeQuery, StoredReading } from '../store.ts';
import { aggregateQuery, fluxTime, latestQuery, MAX_MS, rangeQuery } from './fluxQueries.ts';
import { InfluxReadError, runFlux } from './fluxRequest.ts';
import type { FluxLimits } from './fluxRequest.ts';
import { ReadingRows, WindowRows } from './readerRows.ts';

export { InfluxReadError } from './fluxRequest.ts';

const HOUR_MS = 3_600_000;

export interface LatestOptions {
  /** How far back from now to look. Default: one hour. */
  readonly lookBackMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * What InfluxDB holds of a sensor, in the shapes of the embedded store as far as the points know: `row` is 0, `raw` null
 * and `issues` empty; windows have no `timeWeightedMean`, `stdDev`, `first` and `last`.
 *
 * Every call rejects with an InfluxReadError where InfluxDB gives no usable answer.
 */
export interface InfluxReader {
  latest(asset: string, sensor: string, options?: LatestOptions): Promise<StoredReading | null>;
  /** Readings in [start, end), oldest first, at most `limit`. */
  range(query: RangeQuery, signal?: AbortSignal): Promise<readonly StoredReading[]>;
  /**
   * Epoch-aligned windows of `windowMs` that overlap [start, end) and hold a reading, oldest first, at most `limit`;
   * computed from all their readings, or from those before `before`. Bad readings are only counted.
   */
  aggregate(
    query: RangeQuery & { readonly windowMs: number; readonly before?: number },
    signal?: AbortSignal,
  ): Promise<readonly AggregateRow[]>;
}

export interface InfluxReaderOptions extends Partial<FluxLimits> {
  /** Queries at once; further ones wait, within their time-out. Default 4. */
  readonly maxConcurrent?: number;
  /** Epoch milliseconds. Default: the clock. */
  readonly now?: () => number;
}

/** Start of the epoch-aligned window that holds `time`. */
export const windowStart = (time: number, windowMs: number): number => {
  const rest = time % windowMs;
  return time - rest - (rest < 0 ? windowMs : 0);
};

/**
 * Reads from the bucket that the forwarder writes to. Nothing is connected before the first query.
 * Defaults: answers within 10 s, of at most 64 MB.
 */
export function createInfluxReader(
  config: Pick<InfluxConfig, 'url' | 'token' | 'org' | 'bucket'>,
  options: InfluxReaderOptions = {},
): InfluxReader {
  const { timeoutMs = 10_000, maxBytes = 64_000_000, maxConcurrent = 4, now = Date.now } = options;
  const { bucket } = config;
  const turns = new Turns(maxConcurrent);

  const run = async (
    query: Parameters<typeof runFlux>[1],
    onRow: Parameters<typeof runFlux>[2],
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    const started = performance.now();
    const release = await turns.take(timeoutMs, signal);
    try {
      const waitedMs = performance.now() - started;
      await runFlux(config, query, onRow, { timeoutMs, maxBytes, waitedMs, signal });
    } finally {
      release();
    }
  };

  return {
    async latest(asset, sensor, { lookBackMs = HOUR_MS, signal } = {}) {
      const rows = new ReadingRows(asset, sensor);
      const scope = { bucket, asset, sensor, start: now() - lookBackMs, end: MAX_MS };
      await run(latestQuery(scope), rows.add, signal);
      return rows.sorted().at(-1) ?? null;
    },

    async range({ asset, sensor, start, end, limit }, signal) {
      if (isEmpty(start, end, limit)) return [];
      const rows = new ReadingRows(asset, sensor);
      await run(rangeQuery({ bucket, asset, sensor, start, end }, limit), rows.add, signal);
      return rows.sorted().slice(0, limit);
    },

    async aggregate({ asset, sensor, start, end, limit, windowMs, before = Infinity }, signal) {
      if (!(Number.isSafeInteger(windowMs) && windowMs > 0))
        throw new RangeError(`windowMs: ${windowMs} is not valid, expected a whole number > 0`);
      const first = windowStart(start, windowMs);
      const last = windowStart(end, windowMs);
      const stop = Math.min(last < end ? last + windowMs : last, before);
      if (isEmpty(start, end, limit) || isEmpty(first, stop, limit)) return [];
      const rows = new WindowRows(windowMs);
      const scope = { bucket, asset, sensor, start: first, end: stop };
      await run(aggregateQuery(scope, windowMs, limit), rows.add, signal);
      return rows.sorted().slice(0, limit);
    },
  };
}

/** InfluxDB takes a range without extent for an error. */
const isEmpty = (start: number, end: number, limit: number): boolean =>
  !(start < end && limit >= 1) || fluxTime(start) === fluxTime(end);

/** Lets a number of queries go on at once; the others wait in order. */
class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** @returns what gives the turn back */
  async take(timeoutMs: number, signal: AbortSignal | undefined): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]));
    return () => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
  }

  #wait(until: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = (): void => {
        until.removeEventListener('abort', stop);
        resolve();
      };
      const stop = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1);
        reject(new InfluxReadError('InfluxDB: too many queries are under way', null));
      };
      this.#waiting.push(go);
      if (until.aborted) stop();
      else until.addEventListener('abort', stop);
    });
  }
}
