import { bankAt, bankPredict, bankUpdate, merged, mergedValue, startWeights } from './bank.ts';
import type { Bank, Model } from './bank.ts';

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
  /** Readings in a row off the old level after which the new one is believed. */
  readonly confirmCount: number;
  /** What is reported meanwhile: the new level, or the old one predicted over. */
  readonly unconfirmed: 'follow' | 'hold';
  /** Readings over which R is averaged from what the filter leaves over; null = R is fixed. */
  readonly noiseCount: number | null;
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
  /** Whether the rival starts with this reading. */
  readonly fresh: boolean;
}

/** R is not learned below this share of what it began with: a stuck sensor is no exact one. */
const MIN_NOISE = 1e-3;
/** Squared residuals beyond so many times R do not count towards it. */
const MAX_RESIDUAL = 9;

export function adaptiveState(z: number, options: AdaptiveOptions): AdaptiveState {
  const { models, measurementVariance: r, initialRateNoise } = options;
  return {
    bank: bankAt(z, 0, r, initialRateNoise * r, startWeights(models.length), models),
    rival: null,
    rejected: 0,
    r,
  };
}

/** The bank whose estimate is reported. */
export const reported = ({ bank, rival }: AdaptiveState, { unconfirmed }: AdaptiveOptions): Bank =>
  rival !== null && unconfirmed === 'follow' ? rival : bank;

const VALUE = { x0: 0, p: 0 };

/** Moves the state dtS >= 0 seconds ahead. */
export function adaptivePredict(state: AdaptiveState, dtS: number, { models }: AdaptiveOptions): void {
  if (dtS === 0) return;
  bankPredict(state.bank, dtS, models, state.r);
  if (state.rival !== null) bankPredict(state.rival, dtS, models, state.r);
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
  const { x0, p } = mergedValue(state.bank, VALUE);
  const s = p + state.r;
  if (!(s > 0 && s < Infinity && Number.isFinite(x0))) return false;
  if (z === null) return { outcome: 'predicted', y: null, s, fresh: false };
  const y = Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, z - x0));
  if ((y * y) / s <= options.gate) {
    state.rival = null;
    state.rejected = 0;
    bankUpdate(state.bank, z, state.r);
    if (options.noiseCount !== null) learnNoise(state, z, options);
    return { outcome: 'updated', y, s, fresh: false };
  }
  state.rejected += 1;
  const fresh = state.rival === null || !takenIn(state.rival, z, state.r, options);
  if (fresh) state.rival = rivalAt(state, z, options);
  if (state.rejected < options.confirmCount || state.rival === null)
    return { outcome: 'rejected', y, s, fresh };
  state.bank = state.rival;
  state.rival = null;
  state.rejected = 0;
  return { outcome: 'moved', y, s, fresh };
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
function rivalAt({ bank, r }: AdaptiveState, z: number, { models, shiftRateNoise }: AdaptiveOptions): Bank {
  const { x1, p, g, c } = merged(bank);
  const rateVariance = Math.min(c + g * g * p + shiftRateNoise * r, Number.MAX_VALUE);
  return bankAt(z, x1, r, rateVariance, [...bank.weights], models);
}

/** E[e^2] + P = R for the residual e after the update (Mohamed and Schwarz 1999). */
function learnNoise(
  state: AdaptiveState,
  z: number,
  { noiseCount, measurementVariance }: AdaptiveOptions,
): void {
  const { x0, p } = mergedValue(state.bank, VALUE);
  const sample = Math.min((z - x0) * (z - x0) + p, MAX_RESIDUAL * state.r);
  const r = state.r + (sample - state.r) / (noiseCount ?? Infinity);
  state.r = Math.max(r, MIN_NOISE * measurementVariance);
}
