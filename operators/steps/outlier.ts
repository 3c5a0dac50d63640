import { integerBetween, numberAbove, numberAtLeast } from '../options.ts';
import type { Issue } from '../types.ts';
import {
  LARGEST_ROLLING_VALUE,
  clearRolling,
  fitRolling,
  pushRolling,
  rollingMean,
  rollingStats,
  rollingStdDev,
} from './rollingStats.ts';
import type { RollingStats } from './rollingStats.ts';

export interface OutlierOptions {
  /** Accepted values that make the baseline. Integer >= 2. Default 100. */
  readonly windowSize?: number;
  /** No verdict before the baseline holds so many. Integer from 2 to windowSize. Default 10 (or windowSize). */
  readonly minSamples?: number;
  /** Largest credible distance from the mean, in standard deviations. > 0. Default 3. */
  readonly threshold?: number;
  /** A baseline with a smaller standard deviation, in the reading's unit, counts as constant: no verdict. >= 0. Default 1e-6. */
  readonly minStdDev?: number;
  /** Outliers in a row after which the new level is believed. Integer >= 1. Default 5. */
  readonly confirmCount?: number;
}

/** `baseline`: the accepted values. `rejected`: the outliers in a row since the last accepted value. */
export interface OutlierState {
  readonly baseline: RollingStats;
  readonly rejected: number[];
}

export const outlierState = (): OutlierState => ({ baseline: rollingStats(), rejected: [] });

/** Makes a state that was kept under another windowSize fit the options. */
export const fitOutlierState = (state: OutlierState, options: Required<OutlierOptions>): void =>
  fitRolling(state.baseline, options.windowSize);

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveOutlierOptions(options: OutlierOptions): Required<OutlierOptions> {
  const windowSize = integerBetween('windowSize', options.windowSize ?? 100, 2, 1_000_000);
  return {
    windowSize,
    minSamples: integerBetween('minSamples', options.minSamples ?? Math.min(10, windowSize), 2, windowSize),
    threshold: numberAbove('threshold', options.threshold ?? 3, 0),
    minStdDev: numberAtLeast('minStdDev', options.minStdDev ?? 1e-6, 0),
    confirmCount: integerBetween('confirmCount', options.confirmCount ?? 5, 1),
  };
}

/**
 * Judges one finite value by its z-score against the accepted values before it, z = (value - mean) / stdDev with the
 * population standard deviation, and advances the state; the issue, or undefined. O(1).
 *
 * The value itself stays out of its own baseline: inside it, z could not exceed (n - 1) / sqrt(n) (Shiffler, 1988).
 */
export function outlierStep(
  state: OutlierState,
  value: number,
  options: Required<OutlierOptions>,
): Issue | undefined {
  const { baseline, rejected } = state;
  if (Math.abs(value) > LARGEST_ROLLING_VALUE) {
    return { check: 'outlier', message: `Outlier: ${value} is too large to judge` };
  }
  if (baseline.ring.length >= options.minSamples) {
    const stdDev = rollingStdDev(baseline);
    if (stdDev >= options.minStdDev && stdDev > 0) {
      const mean = rollingMean(baseline);
      const z = (value - mean) / stdDev;
      if (Math.abs(z) > options.threshold) {
        reject(state, value, options);
        return { check: 'outlier', message: describe(z, options.threshold, mean, stdDev) };
      }
    }
  }
  pushRolling(baseline, value, options.windowSize);
  if (rejected.length > 0) rejected.length = 0;
  return undefined;
}

function reject(
  { baseline, rejected }: OutlierState,
  value: number,
  options: Required<OutlierOptions>,
): void {
  rejected.push(value + 0); // -0 becomes 0, because JSON does not know it
  if (rejected.length < options.confirmCount) return;
  clearRolling(baseline);
  for (const confirmed of rejected) pushRolling(baseline, confirmed, options.windowSize);
  rejected.length = 0;
}

function describe(z: number, threshold: number, mean: number, stdDev: number): string {
  const short = (x: number): number => Number(x.toPrecision(12));
  return `Outlier: z-score ${z.toFixed(2)} (allowed: ${threshold}), mean ${short(mean)}, standard deviation ${Number(stdDev.toPrecision(4))}`;
}
