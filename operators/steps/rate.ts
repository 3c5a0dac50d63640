import { integerBetween, numberAbove, numberAtLeast } from '../options.ts';
import type { Issue } from '../types.ts';

/** At least one of the two limits is needed: what a process can do depends on the process. */
export interface RateOptions {
  /** Fastest credible rise, in the reading's unit per second. > 0. Default null: rises are not judged. */
  readonly maxRisePerS?: number | null;
  /** Fastest credible fall, in the reading's unit per second, as a positive number. > 0. Default null: falls are not judged. */
  readonly maxFallPerS?: number | null;
  /**
   * Shortest source time over which a rate is taken, milliseconds: a change within less counts as one over this time. >= 0.
   * Default 0; two values at one and the same source time then have no rate, and no verdict.
   */
  readonly minIntervalMs?: number;
  /** Rejected values in a row after which the new level is believed. Integer >= 1. Default 5. */
  readonly confirmCount?: number;
}

/**
 * `reference`: the accepted value that rates are taken from, null before the first; `timestamp`: its source time, epoch
 * ms. `rejected`: rejected values in a row.
 */
export interface RateState {
  reference: number | null;
  timestamp: number;
  rejected: number;
}

export const rateState = (): RateState => ({ reference: null, timestamp: 0, rejected: 0 });

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveRateOptions(options: RateOptions): Required<RateOptions> {
  const limit = (key: 'maxRisePerS' | 'maxFallPerS'): number | null => {
    const value = options[key] ?? null;
    return value === null ? null : numberAbove(key, value, 0);
  };
  const maxRisePerS = limit('maxRisePerS');
  const maxFallPerS = limit('maxFallPerS');
  if (maxRisePerS === null && maxFallPerS === null)
    throw new RangeError('maxRisePerS: null is not valid, expected a number > 0 for it or for maxFallPerS');
  return {
    maxRisePerS,
    maxFallPerS,
    minIntervalMs: numberAtLeast('minIntervalMs', options.minIntervalMs ?? 0, 0),
    confirmCount: integerBetween('confirmCount', options.confirmCount ?? 5, 1),
  };
}

/**
 * Advances the state by one finite value at its source time, epoch milliseconds; the issue, or undefined. O(1).
 *
 * A value is accepted as long as the process could have come there since the last accepted one. A time before that of the
 * reference is a source that set its clock back: there is no rate, and the value becomes the reference.
 */
export function rateStep(
  state: RateState,
  value: number,
  timestamp: number,
  options: Required<RateOptions>,
): Issue | undefined {
  const { reference } = state;
  const elapsedMs = timestamp - state.timestamp;
  if (reference === null || elapsedMs < 0) {
    accept(state, value, timestamp);
    return undefined;
  }
  const seconds = Math.max(elapsedMs, options.minIntervalMs) / 1000;
  const issue = judge(value - reference, seconds, options);
  if (issue === undefined) {
    state.rejected = 0;
    // Judged from one reading to the next, a rise in many small steps within minIntervalMs would never be seen.
    if (elapsedMs >= options.minIntervalMs) accept(state, value, timestamp);
    return undefined;
  }
  state.rejected += 1;
  if (state.rejected >= options.confirmCount) accept(state, value, timestamp);
  return issue;
}

function accept(state: RateState, value: number, timestamp: number): void {
  state.reference = value + 0; // -0 becomes 0, because JSON does not know it
  state.timestamp = timestamp + 0;
  state.rejected = 0;
}

function judge(
  change: number,
  seconds: number,
  { maxRisePerS, maxFallPerS }: Required<RateOptions>,
): Issue | undefined {
  const limit = change > 0 ? maxRisePerS : maxFallPerS;
  const size = Math.abs(change);
  if (limit === null || seconds === 0 || size <= limit * seconds) return undefined;
  const short = (x: number): number => Number(x.toPrecision(4));
  const message = `${change > 0 ? 'Rises' : 'Falls'} too fast: ${short(size / seconds)} per second (allowed: ${limit}), by ${short(size)} in ${short(seconds)} s`;
  return { check: 'rate', message };
}
