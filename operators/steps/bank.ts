import type { Track } from './track.ts';
import {
  trackAt,
  trackMixture,
  trackMixtureJerk,
  trackPredict,
  trackPredictJerk,
  trackUpdate,
} from './track.ts';

/**
 * Interacting multiple models (Blom and Bar-Shalom 1988) of a value and how it moves, side by side, weighted by how well
 * each foretold the readings. All noise is in multiples of R, the variance of one measurement.
 */
export interface Model {
  /** Which of the motion's derivatives is white noise: the models of `jerk` know of an acceleration. */
  readonly noise: 'acceleration' | 'jerk';
  /** Intensity of that noise, > 0: R/s^3, or R/s^5 for jerk. */
  readonly intensity: number;
  /** `jerk`: variance of the acceleration when a process comes from a model that knows of none, R/s^4. */
  readonly accelerationVariance: number;
  /** How long the process keeps to it on average, s. */
  readonly dwellS: number;
}

/** The models' tracks with their probabilities. */
export interface Bank {
  tracks: Track[];
  weights: number[];
}

/** Models are never ruled out, so that each can come back within a few readings. */
const MIN_WEIGHT = 1e-6;
/** Densities differ by e to this power at most: beyond, it is all the same. */
const MAX_EXPONENT = 600;
/** Probabilities at the start: the quieter, the likelier. */
const START = [0.5, 0.3, 0.2];

export function startWeights(count: number): number[] {
  const shares = Array.from({ length: count }, (_, i) => START[i] ?? 0.1);
  const total = shares.reduce((sum, each) => sum + each, 0);
  return shares.map((each) => each / total);
}

/** Products of options may leave the range of numbers. */
const representable = (variance: number): number => Math.max(1e-300, Math.min(1e300, variance));

/** All models at [x0, x1, 0] with P = diag(r, rateVariance, …). */
export function bankAt(
  x0: number,
  x1: number,
  r: number,
  rateVariance: number,
  weights: number[],
  models: readonly Model[],
): Bank {
  const c = representable(rateVariance);
  const tracks = models.map(({ noise, accelerationVariance }) =>
    trackAt(x0, x1, r, c, noise === 'jerk' ? representable(accelerationVariance * r) : 0),
  );
  return { tracks, weights };
}

/** Multiplies all covariance. */
export function bankScale({ tracks }: Bank, factor: number): void {
  for (const track of tracks) {
    track.p *= factor;
    track.c *= factor;
    track.d *= factor;
  }
}

/** Value and rate over all models. */
export function merged({ tracks, weights }: Bank, into?: Track): Track {
  const [only] = tracks;
  return tracks.length === 1 && only !== undefined ? only : trackMixture(tracks, weights, into);
}

/** Variance of the value over all models, and its mean. */
export interface Value {
  x0: number;
  p: number;
}

/** The value alone: what a gate needs. */
export function mergedValue({ tracks, weights }: Bank, into: Value): Value {
  const from = tracks[0]?.x0 ?? 0;
  let total = 0;
  let x0 = 0;
  for (let i = 0; i < tracks.length; i++) {
    const weight = weights[i] ?? 0;
    total += weight;
    x0 += weight * ((tracks[i]?.x0 ?? 0) - from);
  }
  x0 = from + x0 / total;
  let p = 0;
  for (let i = 0; i < tracks.length; i++) {
    const off = (tracks[i]?.x0 ?? 0) - x0;
    p += (weights[i] ?? 0) * ((tracks[i]?.p ?? 0) + off * off);
  }
  into.x0 = x0;
  into.p = p / total;
  return into;
}

/** Value, rate and acceleration over all models, a track of its own. */
export function mergedJerk({ tracks, weights }: Bank): Track {
  const [only] = tracks;
  return tracks.length === 1 && only !== undefined ? { ...only } : trackMixtureJerk(tracks, weights, 0);
}

/** Noise over all models: on the acceleration, unit^2/s^3, and on the jerk, unit^2/s^5. */
export function meanNoise(
  { weights }: Bank,
  models: readonly Model[],
  r: number,
): { acceleration: number; jerk: number } {
  const mean = { acceleration: 0, jerk: 0 };
  models.forEach(({ noise, intensity }, i) => (mean[noise] += (weights[i] ?? 0) * intensity * r));
  return mean;
}

// Room for the next tracks: they change places with those of before, which are overwritten the next time.
const SPARE: Track[] = [];
const SHARES: number[] = [0.5, 0.5, 0.5];

/** Each model starts from the mixture of all from which the process may have come to it. */
export function bankPredict(bank: Bank, dtS: number, models: readonly Model[], r: number): void {
  const { tracks, weights } = bank;
  const count = tracks.length;
  if (count === 1) {
    const [only] = tracks;
    const [model] = models;
    if (only !== undefined && model !== undefined) modelPredict(only, dtS, model, r);
    return;
  }
  // A process that leaves a model may be in any of them afterwards, the same one included.
  let left = 0;
  for (let i = 0; i < count; i++) {
    const share = ((weights[i] ?? 0) * (dtS / (dtS + (models[i]?.dwellS ?? 1)))) / count;
    SHARES[i] = share;
    left += share;
  }
  for (let j = 0; j < count; j++) {
    const model = models[j];
    if (model === undefined) continue;
    const leaving = SHARES[j] ?? 0;
    const staying = (weights[j] ?? 0) - leaving * count;
    SHARES[j] = leaving + staying;
    const track = (SPARE[j] ??= trackAt(0, 0, 0, 0, 0));
    if (model.noise === 'jerk') trackMixtureJerk(tracks, SHARES, model.accelerationVariance * r, track);
    else trackMixture(tracks, SHARES, track);
    modelPredict(track, dtS, model, r);
    SHARES[j] = leaving;
    weights[j] = left + staying;
  }
  for (let j = 0; j < count; j++) {
    const next = SPARE[j];
    const old = tracks[j];
    if (next === undefined || old === undefined) continue;
    tracks[j] = next;
    SPARE[j] = old;
  }
}

function modelPredict(track: Track, dtS: number, { noise, intensity }: Model, r: number): void {
  if (noise === 'jerk') trackPredictJerk(track, dtS, intensity * r);
  else trackPredict(track, dtS, intensity * r);
}

/** Takes in a measurement z of variance r. */
export function bankUpdate({ tracks, weights }: Bank, z: number, r: number): void {
  // Of the densities only their ratio to the first one's counts, which keeps the exponential within range.
  let from = 0;
  let total = 0;
  for (let i = 0; i < tracks.length; i++) {
    const track = tracks[i];
    if (track === undefined) continue;
    const y = z - track.x0;
    const s = track.p + r;
    trackUpdate(track, y, s, r);
    if (tracks.length === 1) return;
    const exponent = (-0.5 * y * y) / s;
    if (i === 0) from = exponent;
    const density = Math.exp(Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, exponent - from))) / Math.sqrt(s);
    const likely = (weights[i] ?? 0) * density;
    weights[i] = likely;
    total += likely;
  }
  // So far off that no model is any likelier than another.
  if (!(total > 0 && total < Infinity)) {
    weights.fill(1 / weights.length);
    return;
  }
  let kept = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = Math.max(MIN_WEIGHT, (weights[i] ?? 0) / total);
    weights[i] = weight;
    kept += weight;
  }
  for (let i = 0; i < weights.length; i++) weights[i] = (weights[i] ?? 0) / kept;
}
