import { integerBetween, numberAbove, numberAtLeast } from '../options.ts';
import type { Issue } from '../types.ts';

export interface StuckOptions {
  /** Longest credible time without a change, source time, milliseconds. > 0. No default: it depends on the process. */
  readonly maxDurationMs: number;
  /** Readings that the unchanged run must hold before it is judged. Integer >= 2. Default 10. */
  readonly minCount?: number;
  /** Largest difference from the first of the run that still counts as unchanged, in the reading's unit. >= 0. Default 0. */
  readonly tolerance?: number;
}

/** The present run: its first value (null before the first reading), source time of its start in ms, readings in it. */
export interface StuckState {
  reference: number | null;
  since: number;
  count: number;
}

export const stuckState = (): StuckState => ({ reference: null, since: 0, count: 0 });

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveStuckOptions(options: StuckOptions): Required<StuckOptions> {
  return {
    maxDurationMs: numberAbove('maxDurationMs', options.maxDurationMs, 0),
    minCount: integerBetween('minCount', options.minCount ?? 10, 2),
    tolerance: numberAtLeast('tolerance', options.tolerance ?? 0, 0),
  };
}

/** Advances the state by one finite value at its source time, epoch milliseconds; the issue, or undefined. O(1). */
export function stuckStep(
  state: StuckState,
  value: number,
  timestamp: number,
  options: Required<StuckOptions>,
): Issue | undefined {
  const { reference } = state;
  if (reference === null || Math.abs(value - reference) > options.tolerance) {
    state.reference = value + 0; // -0 becomes 0, because JSON does not know it
    state.since = timestamp;
    state.count = 1;
    return undefined;
  }
  state.count += 1;
  // A source clock that was set back must not keep the run from ever growing old.
  if (timestamp < state.since) state.since = timestamp;
  const durationMs = timestamp - state.since;
  if (durationMs < options.maxDurationMs || state.count < options.minCount) return undefined;
  return {
    check: 'stuck',
    message: `Stuck at ${reference} for ${durationMs / 1000} s and ${state.count} readings (allowed: ${options.maxDurationMs / 1000} s, tolerance: ${options.tolerance})`,
  };
}
