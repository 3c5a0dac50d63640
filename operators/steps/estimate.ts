import { numberAbove, numberAtLeast } from '../options.ts';
import type { Estimate, Reading } from '../types.ts';
import { kalmanPredict, kalmanState, kalmanUpdate } from './kalman.ts';
import type { KalmanState } from './kalman.ts';

export interface EstimateOptions {
  /** Diagonal of P at the first reading: unit^2 and (unit/s)^2. Each >= 0. Default [1, 1]. */
  readonly initialVariance?: readonly [number, number];
  /** Variance per second added to value and rate, Q = diag(q0, q1) dt. Each >= 0. Default [0.01, 0.01]. */
  readonly processNoise?: readonly [number, number];
  /** Variance R of one measurement, unit^2. > 0. Default 0.5. */
  readonly measurementVariance?: number;
}

/** `filter` is null before the first usable value; `timestamp`: source time of the filter's state. */
export interface EstimateState {
  filter: KalmanState | null;
  timestamp: number;
}

export const estimateInitialState = (): EstimateState => ({ filter: null, timestamp: 0 });

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveEstimateOptions(options: EstimateOptions): Required<EstimateOptions> {
  const [v0, v1] = options.initialVariance ?? [1, 1];
  const [q0, q1] = options.processNoise ?? [0.01, 0.01];
  return {
    initialVariance: [numberAtLeast('initialVariance[0]', v0, 0), numberAtLeast('initialVariance[1]', v1, 0)],
    processNoise: [numberAtLeast('processNoise[0]', q0, 0), numberAtLeast('processNoise[1]', q1, 0)],
    measurementVariance: numberAbove('measurementVariance', options.measurementVariance ?? 0.5, 0),
  };
}

/**
 * Advances the filter to the reading's source time and, where the reading carries a measurement, takes it in.
 *
 * The first measurement sets x = [z, 0] and P = diag(initialVariance). Bad, missing and imputed readings are predicted
 * over. A repeated time is an update without a predict. A reading that orderByTime found late is not taken in; a
 * backward time without that mark is a source that set its clock back: the filter follows it, with dt = 0.
 *
 * @returns the estimate at the filter's time, or null before the first measurement.
 */
export function estimateStep(
  state: EstimateState,
  reading: Reading,
  options: Required<EstimateOptions>,
): Estimate | null {
  const { value: z, timestamp } = reading;
  const measured = z !== null && reading.quality !== 'Bad' && !reading.imputed;
  const filter = state.filter;
  if (filter === null) {
    if (!measured) return null;
    const first = kalmanState(z, options.initialVariance);
    state.filter = first;
    state.timestamp = timestamp;
    return toEstimate(first, null, null);
  }
  const dtS = (timestamp - state.timestamp) / 1000;
  if (dtS > 0) {
    const [q0, q1] = options.processNoise;
    kalmanPredict(filter, dtS, q0 * dtS, 0, q1 * dtS);
    state.timestamp = timestamp;
  } else if (dtS < 0) {
    if (!measured || isLate(reading)) return toEstimate(filter, null, null);
    state.timestamp = timestamp;
  }
  if (!measured) return representable(filter) ? toEstimate(filter, null, null) : forget(state);
  const { y, s } = kalmanUpdate(filter, z, options.measurementVariance);
  if (!representable(filter)) {
    state.filter = kalmanState(z, options.initialVariance);
    return toEstimate(state.filter, null, null);
  }
  return toEstimate(filter, y, Math.min((y * y) / s, Number.MAX_VALUE));
}

/** Values near the end of the number range can overflow; such a filter starts anew instead of holding infinities. */
const representable = (filter: KalmanState): boolean =>
  Number.isFinite(filter.x0 + filter.x1) && Number.isFinite(filter.p00 + filter.p11 + filter.det);

function forget(state: EstimateState): null {
  state.filter = null;
  return null;
}

const isLate = (reading: Reading): boolean => reading.issues.some((issue) => issue.check === 'order');

const toEstimate = (filter: KalmanState, innovation: number | null, nis: number | null): Estimate => ({
  value: filter.x0,
  ratePerS: filter.x1,
  stdDev: Math.sqrt(filter.p00),
  covariance: [filter.p00, filter.p01, filter.p01, filter.p11],
  innovation,
  nis,
});
