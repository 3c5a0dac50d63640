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
  /** Independent smoothed values that it was learned from. */
  readonly effectiveCount: number;
}

/** Values of one interval, by sensor; null = none. `at` is the source time of its last reading, epoch milliseconds. */
export interface AnomalyRow {
  readonly at: number;
  readonly values: readonly (number | null)[];
}

const WINSOR_ROUNDS = 5;
const WINSOR_WIDTH = 3;
/** Share of the values on either side that the first guess leaves out. */
const TAIL = 0.05;
const MIN_VALUES = 10;
/** Variation below this share of the mean is rounding. */
const MIN_RELATIVE_SCALE = 1e-9;

/** Learns what is normal from rows in order of time, and the track at their end. O(rows · sensors²). */
export function learnAnomalyBaseline(
  rows: readonly AnomalyRow[],
  options: ResolvedAnomalyOptions,
): { baseline: AnomalyBaseline; track: AnomalyTrack } {
  const { sensors, smoothingMs, intervalMs } = options;
  const size = sensors.length;
  const spreads = sensors.map((_, i) =>
    spreadOf(
      rows.flatMap(({ values }) => values[i] ?? []),
      rows.length,
    ),
  );
  const center = spreads.map(({ mean }) => mean);
  const scale = spreads.map(({ stdDev }) => stdDev);
  const unit = { center, scale, inflation: scale.map(() => 1) };

  const track = freshTrack(size);
  const sums = new Array<number>(size * size).fill(0);
  const counts = new Array<number>(size * size).fill(0);
  let effectiveCount = 0;
  let before: number | null = null;
  for (const { at, values } of rows) {
    follow(track, at, values, unit, options, true);
    const { kept, u } = judged(track, at, unit, options);
    kept.forEach((i, a) =>
      kept.slice(0, a + 1).forEach((j, b) => {
        sums[i * size + j] = (sums[i * size + j] ?? 0) + (u[a] ?? 0) * (u[b] ?? 0);
        counts[i * size + j] = (counts[i * size + j] ?? 0) + 1;
      }),
    );
    const weight = 1 - Math.exp(-Math.max(0, before === null ? intervalMs : at - before) / smoothingMs);
    effectiveCount += weight / (2 - weight);
    before = at;
  }

  const mean = (i: number, j: number): number =>
    (sums[i * size + j] ?? 0) / Math.max(1, counts[i * size + j] ?? 0);
  const inflation = sensors.map((_, i) => Math.max(1, mean(i, i)));
  const kept = effectiveCount / (effectiveCount + size);
  const correlation = sensors.flatMap((_, i) =>
    sensors.map((__, j) => {
      if (i === j) return 1;
      const covariance = mean(Math.max(i, j), Math.min(i, j));
      const r = covariance / Math.sqrt((inflation[i] ?? 1) * (inflation[j] ?? 1));
      return kept * Math.min(1, Math.max(-1, r));
    }),
  );
  return { baseline: { sensors, center, scale, inflation, correlation, effectiveCount }, track };
}

/** Mean and standard deviation with far values drawn in to three of them, in some rounds from a first guess by quantiles. */
function spreadOf(values: readonly number[], rows: number): { mean: number; stdDev: number } {
  if (values.length < Math.max(MIN_VALUES, rows / 4)) return { mean: 0, stdDev: 0 };
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
