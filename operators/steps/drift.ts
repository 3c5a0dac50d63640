import type { Issue } from '../types.ts';
import { learnReference } from './driftReference.ts';
import type { Reference } from './driftReference.ts';
import type { ResolvedDriftOptions } from './driftOptions.ts';
import { ewmaLimit } from './driftRunLength.ts';
import { LARGEST_ROLLING_VALUE } from './rollingStats.ts';

/** Sums and average are in standard deviations of the reference. */
export interface DriftState {
  /** null while it is being learned. */
  reference: Reference | null;
  /** The values that it is learned from, so far. */
  learning: number[];
  /** A new level has been believed: a configured reference no longer holds. */
  believed: boolean;
  /** Cumulative sums of what is above and below the reference by more than the slack. */
  rising: number;
  falling: number;
  /** Exponentially weighted average of the distance from the reference. */
  average: number;
  /** Readings since the sum, or the average's side, last began. */
  risingCount: number;
  fallingCount: number;
  /** Flagged readings in a row. */
  flagged: number;
}

export const driftState = (): DriftState => ({
  reference: null,
  learning: [],
  believed: false,
  rising: 0,
  falling: 0,
  average: 0,
  risingCount: 0,
  fallingCount: 0,
  flagged: 0,
});

/** Begins anew, as after a recalibration of the sensor: with the configured reference, or learning one. */
export const resetDrift = (state: DriftState): void => void Object.assign(state, driftState());

/** The sums are held at so many times the threshold, so that the alarm ends soon after the drift has. */
const HELD_AT = 2;

/**
 * Advances the state by one finite value; the issue, or undefined. O(1); O(learnCount log learnCount) for the one value
 * that completes a reference.
 *
 * CUSUM: Page, E. S. (1954): Continuous inspection schemes. Biometrika 41, 100-115. EWMA: Roberts, S. W. (1959): Control
 * chart tests based on geometric moving averages. Technometrics 1, 239-250.
 */
export function driftStep(
  state: DriftState,
  value: number,
  options: ResolvedDriftOptions,
): Issue | undefined {
  if (Math.abs(value) > LARGEST_ROLLING_VALUE)
    return { check: 'drift', message: `Drift: ${value} is too large to judge` };
  if (state.reference === null && options.reference !== null && !state.believed)
    state.reference = { ...options.reference };
  const { reference } = state;
  if (reference === null) {
    learn(state, value, options);
    return undefined;
  }
  const z = clipped((value - reference.mean) / reference.stdDev, options.clipStdDevs);
  const message =
    options.method === 'cusum' ? sum(state, z, reference, options) : average(state, z, reference, options);
  if (message === null) {
    state.flagged = 0;
    return undefined;
  }
  state.flagged += 1;
  if (options.confirmCount !== null && state.flagged >= options.confirmCount) {
    resetDrift(state);
    state.believed = true;
  }
  return { check: 'drift', message };
}

const clipped = (z: number, limit: number): number => Math.max(-limit, Math.min(limit, z));

function learn(state: DriftState, value: number, { learnCount, stdDevFloor }: ResolvedDriftOptions): void {
  state.learning.push(value + 0); // -0 becomes 0, because JSON does not know it
  if (state.learning.length < learnCount) return;
  // Without a spread there is nothing to measure a drift by: it goes on learning.
  state.reference = learnReference(state.learning, stdDevFloor);
  state.learning = [];
}

function sum(
  state: DriftState,
  z: number,
  reference: Reference,
  { slackStdDevs, thresholdStdDevs }: ResolvedDriftOptions,
): string | null {
  const most = HELD_AT * thresholdStdDevs;
  state.rising = Math.min(most, Math.max(0, state.rising + (z - slackStdDevs)));
  state.falling = Math.min(most, Math.max(0, state.falling - (z + slackStdDevs)));
  state.risingCount = state.rising > 0 ? state.risingCount + 1 : 0;
  state.fallingCount = state.falling > 0 ? state.fallingCount + 1 : 0;
  const up = state.rising >= state.falling;
  const larger = up ? state.rising : state.falling;
  if (larger <= thresholdStdDevs) return null;
  const figures = `cumulative sum ${short(larger)} standard deviations (allowed: ${short(thresholdStdDevs)})`;
  return describe(up, figures, up ? state.risingCount : state.fallingCount, reference);
}

function average(
  state: DriftState,
  z: number,
  reference: Reference,
  { smoothing, thresholdStdDevs }: ResolvedDriftOptions,
): string | null {
  state.average += smoothing * (z - state.average) + 0;
  const up = state.average > 0;
  state.risingCount = up ? state.risingCount + 1 : 0;
  state.fallingCount = up ? 0 : state.fallingCount + 1;
  const limit = ewmaLimit(smoothing, thresholdStdDevs);
  if (Math.abs(state.average) <= limit) return null;
  const figures = `moving average ${short(state.average)} standard deviations from the reference (allowed: ${short(limit)})`;
  return describe(up, figures, up ? state.risingCount : state.fallingCount, reference);
}

function describe(up: boolean, figures: string, count: number, { mean, stdDev }: Reference): string {
  return `Drifts ${up ? 'up' : 'down'}: ${figures}, for ${count} readings, reference ${Number(mean.toPrecision(6))}, standard deviation ${short(stdDev)}`;
}

const short = (x: number): number => Number(x.toPrecision(3));
