import { integerBetween, numberAbove, numberAtLeast } from '../options.ts';
import type { Issue } from '../types.ts';
import {
  baselineCount,
  baselineCountBelow,
  baselineMedian,
  baselineMedianDistance,
  clearBaseline,
  fittedBaseline,
  pushBaseline,
} from './hampelBaseline.ts';
import type { HampelBaseline } from './hampelBaseline.ts';
import { sortedWindow } from './sortedWindow.ts';

export interface HampelOptions {
  /** Accepted values that make the baseline. Integer >= 3. Default 60. */
  readonly windowSize?: number;
  /** No verdict before the baseline holds so many. Integer from 3 to windowSize. Default 20 (or windowSize). */
  readonly minSamples?: number;
  /** Largest credible distance from the median, in robust standard deviations (1.4826 MAD). > 0. Default 4. */
  readonly threshold?: number;
  /**
   * A baseline with a smaller robust standard deviation, in the reading's unit, counts as having this one. >= 0.
   * Default 0: where more than half of the baseline are the same value, there is no verdict.
   */
  readonly stdDevFloor?: number;
  /** Outliers in a row after which the new level is believed. Integer >= 1. Default 5. */
  readonly confirmCount?: number;
}

/** `baseline`: the accepted values. `rejected`: the outliers in a row since the last accepted value. */
export interface HampelState {
  baseline: HampelBaseline;
  readonly rejected: number[];
}

/** Standard deviation of a normal distribution with a median absolute deviation of 1. */
const STD_DEV_PER_MAD = 1.4826;

export const hampelState = (): HampelState => ({ baseline: sortedWindow(), rejected: [] });

/** Makes a fresh state, or one that was kept under another windowSize, fit the options. */
export function fitHampelState(state: HampelState, options: Required<HampelOptions>): void {
  state.baseline = fittedBaseline(state.baseline, options.windowSize);
}

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveHampelOptions(options: HampelOptions): Required<HampelOptions> {
  const windowSize = integerBetween('windowSize', options.windowSize ?? 60, 3, 1_000_000);
  return {
    windowSize,
    minSamples: integerBetween('minSamples', options.minSamples ?? Math.min(20, windowSize), 3, windowSize),
    threshold: numberAbove('threshold', options.threshold ?? 4, 0),
    stdDevFloor: numberAtLeast('stdDevFloor', options.stdDevFloor ?? 0, 0),
    confirmCount: integerBetween('confirmCount', options.confirmCount ?? 5, 1),
  };
}

/**
 * Judges one finite value by its distance from the median of the accepted values before it, in units of their median
 * absolute deviation (MAD), and advances the state; the issue, or undefined. O(log windowSize), up to 256 values O(windowSize)
 * in fewer steps; O(log^2) where the MAD itself is asked for, which is near or over the limit.
 *
 * Hampel, F. R. (1974): The influence curve and its role in robust estimation. J. Am. Stat. Assoc. 69, 383-393.
 */
export function hampelStep(
  state: HampelState,
  value: number,
  options: Required<HampelOptions>,
): Issue | undefined {
  const { baseline, rejected } = state;
  if (baselineCount(baseline) >= options.minSamples) {
    const issue = judge(baseline, value, options);
    if (issue !== undefined) {
      reject(state, value, options);
      return issue;
    }
  }
  pushBaseline(baseline, value, options.windowSize);
  if (rejected.length > 0) rejected.length = 0;
  return undefined;
}

function judge(
  baseline: HampelBaseline,
  value: number,
  { threshold, stdDevFloor }: Required<HampelOptions>,
): Issue | undefined {
  const median = baselineMedian(baseline);
  const distance = Math.abs(value - median);
  if (distance <= threshold * stdDevFloor) return undefined;
  // Over the limit means: the MAD is under `needed`, so that half of the values are nearer to the median than that.
  // Counting them takes less than finding the MAD. The margin leaves what is within rounding errors to the full sum.
  const needed = (distance / (threshold * STD_DEV_PER_MAD)) * (1 + 1e-9);
  const nearer =
    baselineCountBelow(baseline, median + needed) - baselineCountBelow(baseline, median - needed);
  if (nearer < baselineCount(baseline) >> 1) return undefined;

  const mad = baselineMedianDistance(baseline, median);
  const stdDev = Math.max(STD_DEV_PER_MAD * mad, stdDevFloor);
  if (stdDev === 0 || !(distance > threshold * stdDev)) return undefined;
  return { check: 'hampel', message: describe(distance / stdDev, threshold, median, stdDev) };
}

function reject({ baseline, rejected }: HampelState, value: number, options: Required<HampelOptions>): void {
  rejected.push(value + 0); // -0 becomes 0, because JSON does not know it
  if (rejected.length < options.confirmCount) return;
  clearBaseline(baseline);
  for (const confirmed of rejected) pushBaseline(baseline, confirmed, options.windowSize);
  rejected.length = 0;
}

function describe(ratio: number, threshold: number, median: number, stdDev: number): string {
  const short = (x: number): number => Number(x.toPrecision(12));
  return `Outlier: ${Number(ratio.toPrecision(3))} robust standard deviations from the median (allowed: ${threshold}), median ${short(median)}, robust standard deviation ${Number(stdDev.toPrecision(4))}`;
}
