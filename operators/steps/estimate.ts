import { integerBetween, numberAbove, numberAtLeast, oneOf } from '../options.ts';
import type { Estimate, Reading } from '../types.ts';
import { adaptivePredict, adaptiveState, adaptiveUpdate, reported } from './adaptive.ts';
import type { AdaptiveOptions, AdaptiveResult, AdaptiveState } from './adaptive.ts';
import { merged } from './bank.ts';
import type { Model } from './bank.ts';
import { kalmanPredict, kalmanState, kalmanUpdate } from './kalman.ts';
import type { KalmanState } from './kalman.ts';
import { trackAt, trackCovariance, trackIsFinite } from './track.ts';

export const ESTIMATE_MODES = ['constantVelocity', 'whiteAcceleration', 'adaptive'] as const;
export type EstimateMode = (typeof ESTIMATE_MODES)[number];

export interface EstimateOptions {
  /**
   * `constantVelocity`: the reference, with noise of its own for value and rate. `whiteAcceleration`: noise enters as
   * acceleration alone. `adaptive`: one of those, for quiet times, beside two that know of an acceleration, moving and
   * lively, weighted by what the readings say. The last two also find level shifts. Default `constantVelocity`.
   */
  readonly mode?: EstimateMode;
  /** `constantVelocity`: diagonal of P at the first reading: unit^2 and (unit/s)^2. Each >= 0. Default [1, 1]. */
  readonly initialVariance?: readonly [number, number];
  /** `constantVelocity`: variance per second added to value and rate, Q = diag(q0, q1) dt. Each >= 0. Default [0.01, 0.01]. */
  readonly processNoise?: readonly [number, number];
  /** Variance R of one measurement, unit^2. > 0. Default 0.5. */
  readonly measurementVariance?: number;
  /**
   * The other modes: intensity of the acceleration noise when quiet, moving and lively, in multiples of R per s^3. Each
   * > 0. `whiteAcceleration` uses the second. In `adaptive` the second and the third stand for noise q' on the change of
   * the acceleration that is as lively, q' = 0.156 q^(5/3). Default [2e-7, 0.008, 0.05].
   */
  readonly accelerationNoise?: readonly [number, number, number];
  /** The other modes: variance of the rate at the first reading, in multiples of R per s^2. > 0. Default 0.5. */
  readonly initialRateNoise?: number;
  /** `adaptive`: how long the process stays quiet, moving and lively on average, s. Each > 0. Default [6000, 1500, 100]. */
  readonly dwellS?: readonly [number, number, number];
  /** The other modes: NIS beyond which a reading is off the level. > 0, null = no reading is. Default 25: five sigma. */
  readonly shiftNis?: number | null;
  /** The other modes: readings in a row off the old level after which a new one is believed. Integer >= 1. Default 3. */
  readonly confirmCount?: number;
  /** The other modes: what is reported until then: the new level (`follow`) or the old one (`hold`). Default `follow`. */
  readonly unconfirmed?: 'likelier' | 'follow' | 'hold';
  /** The other modes: readings over which R is learned, beginning with `measurementVariance`. >= 10, null = R is fixed. Default null. */
  readonly noiseCount?: number | null;
}

export interface ResolvedEstimateOptions {
  readonly mode: EstimateMode;
  readonly initialVariance: readonly [number, number];
  readonly processNoise: readonly [number, number];
  readonly measurementVariance: number;
  /** What the modes other than `constantVelocity` run on. */
  readonly adaptive: AdaptiveOptions;
}

/** `filter` and `bank` are null before the first usable value; `timestamp`: source time of the filter's state. */
export interface EstimateState {
  filter: KalmanState | null;
  timestamp: number;
  /** In the place of `filter` in modes other than `constantVelocity`. */
  bank?: AdaptiveState | null;
}

/** The reference's state is the same as before there were modes. */
export const estimateInitialState = (mode: EstimateMode = 'constantVelocity'): EstimateState =>
  mode === 'constantVelocity' ? { filter: null, timestamp: 0 } : { filter: null, timestamp: 0, bank: null };

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveEstimateOptions(options: EstimateOptions): ResolvedEstimateOptions {
  const [v0, v1] = options.initialVariance ?? [1, 1];
  const [q0, q1] = options.processNoise ?? [0.01, 0.01];
  const mode = oneOf('mode', options.mode ?? 'constantVelocity', ESTIMATE_MODES);
  const measurementVariance = numberAbove('measurementVariance', options.measurementVariance ?? 0.5, 0);
  return {
    mode,
    initialVariance: [numberAtLeast('initialVariance[0]', v0, 0), numberAtLeast('initialVariance[1]', v1, 0)],
    processNoise: [numberAtLeast('processNoise[0]', q0, 0), numberAtLeast('processNoise[1]', q1, 0)],
    measurementVariance,
    adaptive: resolveAdaptive(options, mode, measurementVariance),
  };
}

function resolveAdaptive(
  options: EstimateOptions,
  mode: EstimateMode,
  measurementVariance: number,
): AdaptiveOptions {
  const { shiftNis = 25, noiseCount = 200 } = options;
  return {
    // Products with it must not leave the range of numbers.
    measurementVariance: Math.max(1e-280, Math.min(1e280, measurementVariance)),
    initialRateNoise: numberAbove('initialRateNoise', options.initialRateNoise ?? 0.5, 0),
    shiftRateNoise: 0.005,
    models: resolveModels(options, mode),
    gate: shiftNis === null ? Infinity : numberAbove('shiftNis', shiftNis, 0),
    confirmCount: integerBetween('confirmCount', options.confirmCount ?? 3, 1),
    unconfirmed: oneOf('unconfirmed', options.unconfirmed ?? 'likelier', ['likelier', 'follow', 'hold']),
    noiseCount: noiseCount === null ? null : numberAtLeast('noiseCount', noiseCount, 10),
  };
}

/** Jerk and acceleration noise of the same pace: of one dimension once the scale of time q^(-1/3) is taken out. */
const JERK = 0.156;
/** Likewise the variance of an acceleration that nothing is known of yet. */
const ACCELERATION = 0.07;

function resolveModels(options: EstimateOptions, mode: EstimateMode): Model[] {
  const paces = (options.accelerationNoise ?? [2e-7, 0.008, 0.05]).map((each, i) =>
    numberAbove(`accelerationNoise[${i}]`, each, 0),
  );
  const dwellS = (options.dwellS ?? [6000, 1500, 100]).map((each, i) => numberAbove(`dwellS[${i}]`, each, 0));
  const models = paces.map((pace, i): Model => {
    const dwell = { dwellS: dwellS[i] ?? 1 };
    return i === 0 || mode !== 'adaptive'
      ? { noise: 'acceleration', intensity: pace, accelerationVariance: 0, ...dwell }
      : {
          noise: 'jerk',
          intensity: JERK * pace ** (5 / 3),
          accelerationVariance: ACCELERATION * pace ** (4 / 3),
          ...dwell,
        };
  });
  return mode === 'adaptive' ? models : models.slice(1, 2);
}

/** Whether a reading's value is fed into a filter. */
export const isMeasurement = (reading: Reading): boolean =>
  reading.value !== null && reading.quality !== 'Bad' && !reading.imputed;

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
  options: ResolvedEstimateOptions,
): Estimate | null {
  if (options.mode !== 'constantVelocity') return estimateAdaptive(state, reading, options.adaptive);
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
  if (!representable(filter) || s === Infinity) {
    state.filter = kalmanState(z, options.initialVariance);
    return toEstimate(state.filter, null, null);
  }
  return toEstimate(filter, y, Math.min((y * y) / s, Number.MAX_VALUE));
}

/** Told of every advance of the bank; see `bankAdvance`. `result`: see there. */
export interface Advance {
  /** How far the bank was moved ahead, s; 0 also where a clock was set back. */
  readonly dtS: number;
  /** Null where the bank started with this reading. */
  readonly result: AdaptiveResult | null;
}

/**
 * Advances the bank by one reading, by the same rules as above.
 * @returns null where the reading is of no account: before the first measurement, late, or beyond the range of numbers.
 */
export function bankAdvance(
  state: EstimateState,
  reading: Reading,
  options: AdaptiveOptions,
): Advance | null {
  const z = isMeasurement(reading) ? reading.value : null;
  const { timestamp } = reading;
  const bank = state.bank ?? null;
  if (bank === null) {
    if (z === null) return null;
    state.bank = adaptiveState(z, options);
    state.timestamp = timestamp;
    return { dtS: 0, result: null };
  }
  const dtS = (timestamp - state.timestamp) / 1000;
  if (dtS < 0 && (z === null || isLate(reading))) return null;
  state.timestamp = timestamp;
  const ahead = Math.max(0, dtS);
  adaptivePredict(bank, ahead, options);
  const result = adaptiveUpdate(bank, z, options);
  if (result !== false && trackIsFinite(merged(reported(bank, options), MERGED)))
    return { dtS: ahead, result };
  state.bank = z === null ? null : adaptiveState(z, options);
  return z === null ? null : { dtS: 0, result: null };
}

const MERGED = trackAt(0, 0, 0, 0, 0);

function estimateAdaptive(state: EstimateState, reading: Reading, options: AdaptiveOptions): Estimate | null {
  const advance = bankAdvance(state, reading, options);
  if (state.bank === undefined || state.bank === null) return null;
  const track = merged(reported(state.bank, options), MERGED);
  const y = advance?.result?.y ?? null;
  return {
    value: track.x0,
    ratePerS: track.x1,
    stdDev: Math.sqrt(track.p),
    covariance: trackCovariance(track),
    innovation: y,
    nis: y === null ? null : Math.min((y * y) / (advance?.result?.s ?? 1), Number.MAX_VALUE),
  };
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
