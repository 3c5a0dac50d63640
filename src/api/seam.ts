import { InfluxReadError, windowStart } from '../store/influx/reader.ts';
import type { InfluxReader } from '../store/influx/reader.ts';
import type { AggregateRow, RangeQuery, StoredReading } from '../store/store.ts';
import type { ApiStore } from './context.ts';
import { isoTime } from './times.ts';

/*
 * One history out of two: from the sensor's oldest row in the embedded store on, the store answers; before that time,
 * the seam, InfluxDB does. So no reading comes twice, whether it was forwarded or not.
 */

export interface HistorySources {
  readonly store: ApiStore;
  readonly history: InfluxReader | null;
  /** Called where InfluxDB gave no usable answer. */
  readonly onMissing: (error: InfluxReadError) => void;
  /** Gives the query up. */
  readonly signal: AbortSignal;
}

export interface Found<T> {
  /** Oldest first, at most the query's limit. */
  readonly rows: readonly T[];
  /** What is missing of the older part, and why; null where nothing is. */
  readonly incomplete: string | null;
}

export async function findReadings(
  sources: HistorySources,
  query: RangeQuery,
): Promise<Found<StoredReading>> {
  const { store, history, signal } = sources;
  if (history === null || store.oldest === undefined) return whole(await store.range(query));
  const { seam, rows } = await fromStore(store, query, (oldest) =>
    oldest < query.end
      ? store.range({ ...query, start: Math.max(query.start, oldest) })
      : Promise.resolve([]),
  );
  if (seam <= query.start) return whole(rows);
  const older = await ask(sources, seam, () =>
    history.range({ ...query, end: Math.min(query.end, seam) }, signal),
  );
  return { rows: [...older.rows, ...rows].slice(0, query.limit), incomplete: older.incomplete };
}

/**
 * Windows are cut at the seam too: the one that it lies in is put together from the readings on both sides. Without an
 * answer of InfluxDB that window is left out, because it would be wrong.
 */
export async function findWindows(
  sources: HistorySources,
  query: RangeQuery & { readonly windowMs: number },
): Promise<Found<AggregateRow>> {
  const { store, history, signal } = sources;
  if (history === null || store.oldest === undefined) return whole(await store.aggregate(query));
  const first = windowStart(query.start, query.windowMs);
  const { seam, rows } = await fromStore(store, query, (oldest) => {
    if (oldest <= first) return store.aggregate(query);
    const start = Math.max(query.start, windowStart(oldest, query.windowMs));
    // One more, in place of the window that may be left out.
    return start < query.end
      ? store.aggregate({ ...query, start, limit: query.limit + 1 })
      : Promise.resolve([]);
  });
  if (seam <= first) return whole(rows);
  const older = await ask(sources, seam, () => history.aggregate({ ...query, before: seam }, signal));
  const local = older.incomplete === null ? rows : rows.filter(({ start }) => start >= seam);
  const windows = new Map(older.rows.map((row) => [row.start, row]));
  for (const row of local) {
    const before = windows.get(row.start);
    windows.set(row.start, before === undefined ? row : joinWindows(before, row));
  }
  return { rows: [...windows.values()].slice(0, query.limit), incomplete: older.incomplete };
}

const whole = <T>(rows: readonly T[]): Found<T> => ({ rows, incomplete: null });

/** What is pruned between the two queries would be missing on both sides of the seam. */
const TRIES = 3;

/** @returns what `read` gives, and the seam that it was given: Infinity where the store has nothing of the sensor */
async function fromStore<T>(
  store: ApiStore,
  { asset, sensor }: RangeQuery,
  read: (seam: number) => Promise<readonly T[]>,
): Promise<{ readonly seam: number; readonly rows: readonly T[] }> {
  const oldest = async (): Promise<number> => (await store.oldest?.(asset, sensor)) ?? Infinity;
  let seam = await oldest();
  for (let tries = 1; ; tries += 1) {
    const rows = await read(seam);
    const then = await oldest();
    if (then === seam || tries === TRIES) return { seam, rows };
    seam = then;
  }
}

async function ask<T>(
  { onMissing }: HistorySources,
  seam: number,
  query: () => Promise<readonly T[]>,
): Promise<Found<T>> {
  try {
    return whole(await query());
  } catch (error) {
    if (!(error instanceof InfluxReadError)) throw error;
    onMissing(error);
    return { rows: [], incomplete: missing(seam, error) };
  }
}

const missing = (seam: number, { message }: InfluxReadError): string =>
  `${seam === Infinity ? 'Everything' : `What is older than ${isoTime(seam)}`} is missing: ${message}`;

/** One window out of the readings of both sides. What takes the single readings to know is null. */
export function joinWindows(older: AggregateRow, newer: AggregateRow): AggregateRow {
  const badCount = older.badCount + newer.badCount;
  if (older.count === 0) return { ...newer, badCount };
  if (newer.count === 0) return { ...older, badCount };
  const count = older.count + newer.count;
  return {
    start: older.start,
    end: older.end,
    count,
    badCount,
    mean: pick(older.mean, newer.mean, (a, b) => a + ((b - a) * newer.count) / count),
    timeWeightedMean: null,
    min: pick(older.min, newer.min, Math.min),
    max: pick(older.max, newer.max, Math.max),
    stdDev: null,
    first: older.first,
    last: newer.last,
  };
}

const pick = (a: number | null, b: number | null, join: (a: number, b: number) => number): number | null =>
  a === null || b === null ? null : join(a, b);
