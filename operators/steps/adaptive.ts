import { bankAt, bankPredict, bankScale, bankUpdate, merged, mergedValue, startWeights } from './bank.ts';
import type { Bank, Model } from './bank.ts';
import { isLearned, learnAnew, learnFromDifference, learnFromResidual, noiseState } from './noise.ts';
import type { NoiseState } from './noise.ts';

/**
 * A bank of models with a gate: readings far off all of them wait as a second hypothesis, a new level, until they are
 * confirmed or turn out to be a spike. R is learned on the way where so asked.
 */
export interface AdaptiveOptions {
  /** Variance R of one measurement, unit^2. */
  readonly measurementVariance: number;
  /** Variance of the rate at the first reading, R/s^2. */
  readonly initialRateNoise: number;
  /** A new level's rate is as unsure as the old one's, and this beyond, R/s^2. */
  readonly shiftRateNoise: number;
  /** From quiet to lively. */
  readonly models: readonly Model[];
  /** NIS beyond which a reading is off the level; Infinity = none is. */
  readonly gate: number;
  /** Readings that agree with one another and not with the old level, after which the new one is believed. */
  readonly confirmCount: number;
  /** What is reported meanwhile: the new level, the old one predicted over, or what has been right more often so far. */
  readonly unconfirmed: 'likelier' | 'follow' | 'hold';
  /** Readings over which R is averaged from what the filter leaves over; null = R is fixed. */
  readonly noiseCount: number | null;
}

export interface AdaptiveState {
  bank: Bank;
  /** The new level while it is unconfirmed. */
  rival: Bank | null;
  /** Readings in a row off the level. */
  rejected: number;
  /** Readings that fit the rival. */
  agreeing: number;
  /** Rivals so far that were forgotten, and that were believed. */
  spikes: number;
  shifts: number;
  noise: NoiseState;
}

/** What became of a reading. `moved`: the new level is believed from here on. */
export type Outcome = 'updated' | 'predicted' | 'rejected' | 'moved';

export interface AdaptiveResult {
  readonly outcome: Outcome;
  /** z - H x before the update; null where nothing was taken in. */
  readonly y: number | null;
  readonly s: number;
  /** Whether the rival starts with this reading. */
  readonly fresh: boolean;
}

/** So many times `confirmCount` readings off the level are believed even if they do not agree: the filter is lost. */
const PATIENCE = 3;
/** Spikes and shifts that are remembered. */
const MEMORY = 64;

export function adaptiveState(z: number, options: AdaptiveOptions): AdaptiveState {
  const { models, measurementVariance: r, initialRateNoise } = options;
  return {
    bank: bankAt(z, 0, r, initialRateNoise * r, startWeights(models.length), models),
    rival: null,
    rejected: 0,
    agreeing: 0,
    spikes: 0,
    shifts: 0,
    noise: noiseState(r, z),
  };
}

/** The bank whose estimate is reported. */
export function reported(state: AdaptiveState, { unconfirmed, confirmCount }: AdaptiveOptions): Bank {
  const { bank, rival, spikes, shifts, rejected } = state;
  if (rival === null || unconfirmed === 'hold') return bank;
  // Spikes are short: beyond, the old level is the likelier one no more, even where readings do not agree.
  return unconfirmed === 'follow' || spikes <= shifts || rejected > confirmCount ? rival : bank;
}

const VALUE = { x0: 0, p: 0 };

/** Moves the state dtS >= 0 seconds ahead. */
export function adaptivePredict(state: AdaptiveState, dtS: number, { models }: AdaptiveOptions): void {
  if (dtS === 0) return;
  bankPredict(state.bank, dtS, models, state.noise.r);
  if (state.rival !== null) bankPredict(state.rival, dtS, models, state.noise.r);
}

/**
 * Takes in z, where it is not null.
 *
 * @returns false where the state left the range of numbers and must start anew.
 */
export function adaptiveUpdate(
  state: AdaptiveState,
  z: number | null,
  options: AdaptiveOptions,
): AdaptiveResult | false {
  const { noise } = state;
  const { noiseCount, confirmCount } = options;
  const { x0, p } = mergedValue(state.bank, VALUE);
  const s = p + noise.r;
  if (!(s > 0 && s < Infinity && Number.isFinite(x0))) return false;
  if (z === null) return { outcome: 'predicted', y: null, s, fresh: false };
  const y = Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, z - x0));
  if (noiseCount !== null) scale(state, learnFromDifference(noise, z, noiseCount));
  if ((y * y) / s <= options.gate) {
    if (state.rival !== null) count(state, 'spikes', options);
    state.rival = null;
    state.rejected = 0;
    bankUpdate(state.bank, z, noise.r);
    if (noiseCount !== null) {
      const after = mergedValue(state.bank, VALUE);
      scale(state, learnFromResidual(noise, z - after.x0, after.p, noiseCount));
    }
    return { outcome: 'updated', y, s, fresh: false };
  }
  state.rejected += 1;
  const fresh = state.rival === null || !takenIn(state.rival, z, noise.r, options);
  if (fresh) {
    if (state.rival !== null && noiseCount !== null) learnAnew(noise);
    state.rival = rivalAt(state, z, options);
    state.agreeing = 0;
  }
  state.agreeing += 1;
  const believed = state.agreeing >= confirmCount || state.rejected >= PATIENCE * confirmCount;
  if (!believed || state.rival === null) return { outcome: 'rejected', y, s, fresh };
  count(state, 'shifts', options);
  state.bank = state.rival;
  state.rival = null;
  state.rejected = 0;
  return { outcome: 'moved', y, s, fresh };
}

/** Counts what has come of rivals, once R is known; of long ago counts less. */
function count(state: AdaptiveState, what: 'spikes' | 'shifts', { noiseCount }: AdaptiveOptions): void {
  if (noiseCount !== null && !isLearned(state.noise)) return;
  state[what] += 1;
  if (state.spikes + state.shifts < MEMORY) return;
  state.spikes /= 2;
  state.shifts /= 2;
}

/**
 * All noise is in multiples of R, so that P would be larger by the same factor, had R been this from the start. Later, when
 * R hardly changes, P follows by itself.
 */
function scale({ bank, rival, noise }: AdaptiveState, factor: number): void {
  if (factor === 1 || isLearned(noise)) return;
  bankScale(bank, factor);
  if (rival !== null) bankScale(rival, factor);
}

/** Takes a reading into the rival if it fits there. */
function takenIn(rival: Bank, z: number, r: number, { gate }: AdaptiveOptions): boolean {
  const { x0, p } = mergedValue(rival, VALUE);
  const y = z - x0;
  if (!((y * y) / (p + r) <= gate)) return false;
  bankUpdate(rival, z, r);
  return true;
}

/** A new level at the reading, with the rate of before. */
function rivalAt(
  { bank, noise: { r } }: AdaptiveState,
  z: number,
  { models, shiftRateNoise }: AdaptiveOptions,
): Bank {
  const { x1, p, g, c } = merged(bank);
  return bankAt(z, x1, r, c + g * g * p + shiftRateNoise * r, [...bank.weights], models);
}
