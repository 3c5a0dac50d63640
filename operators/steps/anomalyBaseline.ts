import { follow, freshTrack, judged } from './anomalyTrack.ts';
import type { AnomalyTrack } from './anomalyTrack.ts';
import type { ResolvedAnomalyOptions } from './anomalyOptions.ts';

/** What is normal for the sensors of one asset. Plain data; arrays by sensor. */
export interface AnomalyBaseline {
  readonly sensors: readonly string[];
  /** Mean and standard deviation of the values, robust; a scale of 0 = too few values or none that differ: not judged. */
  readonly center: readonly number[];
  readonly scale: readonly number[];
  /** Variance of the smoothed deviation over that of independent values: >= 1. */
  readonly inflation: readonly number[];
  /** Correlation of the smoothed deviations, shrunk towards none; row by row. */
  readonly correlation: readonly number[];
  /** Time between two values, on average, milliseconds. */
  readonly usualMs: readonly number[];
  /** Independent smoothed values that it was learned from. */
  readonly effectiveCounts: readonly number[];
}

/** One interval. Times are epoch milliseconds. */
export interface AnomalyRow {
  /** Source time of its last reading. */
  readonly at: number;
  /** Latest time of arrival. */
  readonly clock: number;
  /** By sensor, the mean and the source time of its last reading; null = none. */
  readonly times: readonly (number | null)[];
  readonly values: readonly (number | null)[];
}

const WINSOR_ROUNDS = 5;
const WINSOR_WIDTH = 3;
/** Share of the values on either side that the first guess leaves out. */
const TAIL = 0.05;
/** A sensor with fewer values is not judged. */
export const MIN_VALUES = 10;
/** Variation below this share of the mean is rounding. */
const MIN_RELATIVE_SCALE = 1e-9;

/** Learns what is normal from rows in order of time, and the track at their end. O(rows · sensors²). */
export function learnAnomalyBaseline(
  rows: readonly AnomalyRow[],
  options: ResolvedAnomalyOptions,
): { baseline: AnomalyBaseline; track: AnomalyTrack } {
  const { sensors } = options;
  const size = sensors.length;
  const spreads = sensors.map((_, i) => spreadOf(rows.flatMap(({ values }) => values[i] ?? [])));
  const center = spreads.map(({ mean }) => mean);
  const scale = spreads.map(({ stdDev }) => stdDev);
  const usualMs = sensors.map((_, i) => usualGap(rows.flatMap(({ times }) => times[i] ?? [])));
  const unit = { center, scale, inflation: scale.map(() => 1), usualMs };

  const track = freshTrack(size);
  const sums = new Array<number>(size * size).fill(0);
  const counts = new Array<number>(size * size).fill(0);
  const series = sensors.map(() => new Float64Array(rows.length).fill(NaN));
  for (const [k, row] of rows.entries()) {
    follow(track, row, unit, options, true);
    const { kept, u } = judged(track, row.clock, unit, options);
    kept.forEach((i, a) => {
      series[i]?.fill(u[a] ?? 0, k, k + 1);
      kept.slice(0, a + 1).forEach((j, b) => {
        sums[i * size + j] = (sums[i * size + j] ?? 0) + (u[a] ?? 0) * (u[b] ?? 0);
        counts[i * size + j] = (counts[i * size + j] ?? 0) + 1;
      });
    });
  }
  const effectiveCounts = series.map(independentOf);

  const mean = (i: number, j: number): number =>
    (sums[i * size + j] ?? 0) / Math.max(1, counts[i * size + j] ?? 0);
  const inflation = sensors.map((_, i) => Math.max(1, mean(i, i)));
  const correlation = sensors.flatMap((_, i) =>
    sensors.map((__, j) => {
      if (i === j) return 1;
      const covariance = mean(Math.max(i, j), Math.min(i, j));
      const count = Math.min(effectiveCounts[i] ?? 0, effectiveCounts[j] ?? 0);
      const r = covariance / Math.sqrt((inflation[i] ?? 1) * (inflation[j] ?? 1));
      return (count / (count + size)) * Math.min(1, Math.max(-1, r));
    }),
  );
  return { baseline: { sensors, center, scale, inflation, usualMs, correlation, effectiveCounts }, track };
}

function usualGap(times: readonly number[]): number {
  const gaps = times.slice(1).map((at, i) => Math.max(0, at - (times[i] ?? at)));
  return gaps.length === 0 ? 0 : gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
}

/** Mean and standard deviation with far values drawn in to three of them, in some rounds from a first guess by quantiles. */
function spreadOf(values: readonly number[]): { mean: number; stdDev: number } {
  if (values.length < MIN_VALUES) return { mean: 0, stdDev: 0 };
  const sorted = values.toSorted((a, b) => a - b);
  const cut = Math.floor(values.length * TAIL);
  const least = sorted[cut] ?? 0;
  const most = sorted[sorted.length - 1 - cut] ?? 0;
  // Where nearly all values are the same, the few others are all there is to go by.
  let low = most > least ? least - (most - least) : -Infinity;
  let high = most > least ? most + (most - least) : Infinity;
  let mean = 0;
  let stdDev = 0;
  for (let round = 0; round < WINSOR_ROUNDS; round++) {
    const drawn = sorted.map((value) => Math.min(high, Math.max(low, value)));
    mean = drawn.reduce((sum, value) => sum + value / drawn.length, 0);
    stdDev = Math.sqrt(drawn.reduce((sum, value) => sum + (value - mean) ** 2 / drawn.length, 0));
    low = mean - WINSOR_WIDTH * stdDev;
    high = mean + WINSOR_WIDTH * stdDev;
  }
  return { mean, stdDev: stdDev > MIN_RELATIVE_SCALE * Math.abs(mean) ? stdDev : 0 };
}

/** Correlations below it are taken for noise, and so are all of larger lags. */
const MIN_CORRELATION = 0.1;

/**
 * How many independent values tell as much of the mean as these, which follow each other: n / (1 + 2 Σ ρₖ), with ρₖ the
 * correlation of values k apart. Of the variance they tell more, ρₖ² in place of ρₖ; the lesser count keeps to the stated rate
 * of false alarms where noise is not white or not normal. NaN = no value.
 *
 * @see Bartlett, M. S. (1946), On the theoretical specification and sampling properties of autocorrelated time-series
 */
export function independentOf(values: Float64Array): number {
  const { count, mean: variance } = laggedProduct(values, 0);
  if (count === 0 || variance === 0) return 0;
  let sum = 1;
  let r = 1;
  // The correlation changes slowly at large lags: not each of them is looked at.
  for (let lag = 1; lag < values.length / 4; lag += stepAt(lag)) {
    const { count: pairs, mean: covariance } = laggedProduct(values, lag);
    if (pairs > 0) r = covariance / variance;
    if (r < MIN_CORRELATION) break;
    sum += 2 * stepAt(lag) * Math.min(1, r);
  }
  return Math.max(1, count / sum);
}

const stepAt = (lag: number): number => Math.max(1, Math.floor(lag / 16));

function laggedProduct(values: Float64Array, lag: number): { count: number; mean: number } {
  let count = 0;
  let sum = 0;
  for (let i = lag; i < values.length; i++) {
    const product = (values[i] ?? NaN) * (values[i - lag] ?? NaN);
    if (Number.isNaN(product)) continue;
    count += 1;
    sum += product;
  }
  return { count, mean: count === 0 ? 0 : sum / count };
}
