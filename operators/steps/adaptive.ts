import type { Track } from './track.ts';
import { trackIsFinite, trackMixture, trackPredict, trackUpdate } from './track.ts';

/**
 * Interacting multiple models (Blom and Bar-Shalom 1988) for a value and its rate: the same constant-velocity filter with
 * several intensities of acceleration noise side by side, weighted by how well each foretold the readings. Readings far
 * off all of them wait as a second hypothesis, a new level, until they are confirmed or turn out to be a spike.
 */
export interface AdaptiveOptions {
  /** Variance R of one measurement, unit^2. */
  readonly measurementVariance: number;
  /** Variance of the rate at the first reading, (unit/s)^2. */
  readonly initialRateVariance: number;
  /** Intensity of each model's acceleration noise, unit^2/s^3, each > 0. */
  readonly intensities: readonly number[];
  /** How long the process keeps to each model on average, in s. */
  readonly dwellS: readonly number[];
  /** NIS beyond which a reading is off the level; Infinity = none is. */
  readonly gate: number;
  /** Readings in a row off the old level after which the new one is believed. */
  readonly confirmCount: number;
  /** What is reported meanwhile: the new level, or the old one predicted over. */
  readonly unconfirmed: 'follow' | 'hold';
  /** Readings over which R is averaged from what the filter leaves over; null = R is fixed. */
  readonly noiseCount: number | null;
}

/** The models' tracks with their probabilities. */
export interface Bank {
  tracks: Track[];
  weights: number[];
}

export interface AdaptiveState {
  bank: Bank;
  /** The new level while it is unconfirmed. */
  rival: Bank | null;
  /** Readings in a row off the level. */
  rejected: number;
  /** R in force. */
  r: number;
}

/** What became of a reading. `moved`: the new level is believed from here on. */
export type Outcome = 'updated' | 'predicted' | 'rejected' | 'moved';

export interface AdaptiveResult {
  readonly outcome: Outcome;
  /** z - H x before the update; null where nothing was taken in. */
  readonly y: number | null;
  readonly s: number;
  /** Acceleration noise on the way to this reading, over all models, unit^2/s^3. */
  readonly q: number;
  /** The same of the rival; null where there was none, or a new one starts with this reading. */
  readonly rivalQ: number | null;
}

/** Models are never ruled out, so that each can come back within a few readings. */
const MIN_WEIGHT = 1e-6;
/** Densities differ by e to this power at most: beyond, it is all the same. */
const MAX_EXPONENT = 600;
/** R is not learned below this share of what it began with: a stuck sensor is no exact one. */
const MIN_NOISE = 1e-3;
/** Squared residuals beyond so many times R do not count towards it. */
const MAX_RESIDUAL = 9;

export function adaptiveState(z: number, options: AdaptiveOptions): AdaptiveState {
  const { intensities, measurementVariance: r, initialRateVariance } = options;
  return {
    bank: bankAt(z, 0, r, initialRateVariance, startShares(intensities.length)),
    rival: null,
    rejected: 0,
    r,
  };
}

/** The bank whose estimate is reported. */
export const reported = ({ bank, rival }: AdaptiveState, { unconfirmed }: AdaptiveOptions): Bank =>
  rival !== null && unconfirmed === 'follow' ? rival : bank;

export const merged = ({ tracks, weights }: Bank): Track => {
  const [only] = tracks;
  return tracks.length === 1 && only !== undefined ? only : trackMixture(tracks, weights);
};

/**
 * Moves the state dtS >= 0 seconds ahead and takes in z, where it is not null.
 *
 * @returns false where the state left the range of numbers and must start anew.
 */
export function adaptiveStep(
  state: AdaptiveState,
  dtS: number,
  z: number | null,
  options: AdaptiveOptions,
): AdaptiveResult | false {
  if (dtS > 0) {
    bankPredict(state.bank, dtS, options);
    if (state.rival !== null) bankPredict(state.rival, dtS, options);
  }
  const q = meanIntensity(state.bank, options);
  let rivalQ = state.rival && meanIntensity(state.rival, options);
  const before = merged(state.bank);
  if (!trackIsFinite(before)) return false;
  const s = before.p + state.r;
  if (z === null) return { outcome: 'predicted', y: null, s, q, rivalQ };
  const y = Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, z - before.x0));
  if ((y * y) / s <= options.gate) {
    state.rival = null;
    state.rejected = 0;
    bankUpdate(state.bank, z, state.r);
    if (options.noiseCount !== null) learnNoise(state, z, options);
    return { outcome: 'updated', y, s, q, rivalQ };
  }
  state.rejected += 1;
  if (state.rival === null || !takenIn(state.rival, z, state.r, options)) {
    state.rival = rivalAt(state, z, before, options);
    rivalQ = null;
  }
  if (state.rejected < options.confirmCount) return { outcome: 'rejected', y, s, q, rivalQ };
  state.bank = state.rival;
  state.rival = null;
  state.rejected = 0;
  return { outcome: 'moved', y, s, q, rivalQ };
}

/** Takes a reading into the rival if it fits there. */
function takenIn(rival: Bank, z: number, r: number, { gate }: AdaptiveOptions): boolean {
  const track = merged(rival);
  const y = z - track.x0;
  if (!((y * y) / (track.p + r) <= gate)) return false;
  bankUpdate(rival, z, r);
  return true;
}

/** A new level at the reading, with the rate of before. */
function rivalAt(
  { bank, r }: AdaptiveState,
  z: number,
  before: Track,
  { intensities }: AdaptiveOptions,
): Bank {
  const rateVariance = before.c + before.g * before.g * before.p + Math.max(...intensities) / 10;
  return bankAt(z, before.x1, r, Math.min(rateVariance, Number.MAX_VALUE), [...bank.weights]);
}

function meanIntensity({ weights }: Bank, { intensities }: AdaptiveOptions): number {
  let q = 0;
  for (let i = 0; i < weights.length; i++) q += (weights[i] ?? 0) * (intensities[i] ?? 0);
  return q;
}

function bankAt(x0: number, x1: number, p: number, c: number, weights: number[]): Bank {
  return { tracks: weights.map(() => ({ x0, x1, p, g: 0, c })), weights };
}

/** The quieter, the likelier. */
const START = [0.5, 0.3, 0.2];

function startShares(count: number): number[] {
  const shares = Array.from({ length: count }, (_, i) => START[i] ?? 0.1);
  const total = shares.reduce((sum, each) => sum + each, 0);
  return shares.map((each) => each / total);
}

/** Each model starts from the mixture of all from which the process may have come to it. */
function bankPredict(bank: Bank, dtS: number, { intensities, dwellS }: AdaptiveOptions): void {
  const { tracks, weights } = bank;
  const count = tracks.length;
  if (count === 1) {
    const [only] = tracks;
    if (only !== undefined) trackPredict(only, dtS, intensities[0] ?? 1);
    return;
  }
  // A process that leaves a model may be in any of them afterwards, the same one included.
  const shares: number[] = [];
  let left = 0;
  for (let i = 0; i < count; i++) {
    const share = ((weights[i] ?? 0) * (dtS / (dtS + (dwellS[i] ?? 1)))) / count;
    shares.push(share);
    left += share;
  }
  const mixed: Track[] = [];
  const arrived: number[] = [];
  for (let j = 0; j < count; j++) {
    const leaving = shares[j] ?? 0;
    const staying = (weights[j] ?? 0) - leaving * count;
    shares[j] = leaving + staying;
    const track = trackMixture(tracks, shares);
    trackPredict(track, dtS, intensities[j] ?? 1);
    mixed.push(track);
    arrived.push(left + staying);
    shares[j] = leaving;
  }
  bank.tracks = mixed;
  bank.weights = arrived;
}

function bankUpdate({ tracks, weights }: Bank, z: number, r: number): void {
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

/** E[e^2] + P = R for the residual e after the update (Mohamed and Schwarz 1999). */
function learnNoise(
  state: AdaptiveState,
  z: number,
  { noiseCount, measurementVariance }: AdaptiveOptions,
): void {
  const { x0, p } = merged(state.bank);
  const sample = Math.min((z - x0) * (z - x0) + p, MAX_RESIDUAL * state.r);
  const r = state.r + (sample - state.r) / (noiseCount ?? Infinity);
  state.r = Math.max(r, MIN_NOISE * measurementVariance);
}
