import { integerBetween, numberAbove } from '../../../operators/options.ts';
import type { CorrectedState } from './hybridModel.ts';
import { termOf } from './hybridTerms.ts';
import type { ProcessModel } from './model.ts';

/** The correction of one state's balance; null: the default. */
export interface CorrectionOptions {
  /** What the correction is linear in: see `termOf`. Default: 1 and the state itself. */
  readonly features?: readonly string[] | null;
  /** The most that it ever comes to, in the state's unit per second. Default: a fortieth of its scale. */
  readonly limitPerS?: number | null;
}

export interface HybridOptions {
  /** State -> its correction. At least one. */
  readonly correct: Readonly<Record<string, CorrectionOptions>>;
  /** How far ahead physics alone and with the correction are compared, and the correction learns, in seconds. Default 60. */
  readonly horizonS?: number;
  /** Time after which what was learned counts for 1/e. Default 3600. */
  readonly forgettingS?: number;
  /** Pull of the coefficients towards 0, against data worth a standard deviation of the sensor's noise each. Default 10. */
  readonly ridge?: number;
  /** Errors beyond so many standard deviations are clipped. Default 3. */
  readonly clip?: number;
  /** So far outside of the region in which it has been learned, in scales of a feature, nothing is left. Default 0.5. */
  readonly reach?: number;
  /** Comparisons before it may come on. Default 30. */
  readonly minComparisons?: number;
  /** Comes on where its mean square error is below this share of that of physics alone, and off where it is above the other. Default 0.7, 0.9. */
  readonly onBelow?: number;
  readonly offAbove?: number;
}

export interface ResolvedHybrid extends Required<Omit<HybridOptions, 'correct'>> {
  readonly corrected: readonly CorrectedState[];
}

/** A reaction at its usual pace moves a state by its scale in a minute or so. */
const LIMIT_SHARE_PER_S = 1 / 40;

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveHybrid(model: ProcessModel, options: HybridOptions): ResolvedHybrid {
  let from = 0;
  const corrected = Object.entries(options.correct).map(([name, each]): CorrectedState => {
    const index = model.states.findIndex((state) => state.name === name);
    const state = model.states[index];
    if (state === undefined) {
      const known = model.states.map((one) => one.name).join(', ');
      throw new RangeError(`hybrid.correct: ${name} is not valid, expected one of ${known}`);
    }
    const terms = (each.features ?? ['1', name]).map((text) => termOf(model, text));
    const limitPerS = each.limitPerS ?? LIMIT_SHARE_PER_S * state.scale;
    const one = {
      ...{ name, index, terms, from, unit: `${state.unit}/s` },
      limitPerS: numberAbove(`hybrid.correct.${name}.limitPerS`, limitPerS, 0),
    };
    from += terms.length;
    return one;
  });
  if (from === 0) throw new RangeError('hybrid.correct: missing, expected at least one state with a feature');
  const onBelow = numberAbove('hybrid.onBelow', options.onBelow ?? 0.7, 0);
  const offAbove = numberAbove('hybrid.offAbove', options.offAbove ?? 0.9, 0);
  if (offAbove < onBelow || offAbove > 1) {
    throw new RangeError(`hybrid.offAbove: ${offAbove} is not valid, expected a number from ${onBelow} to 1`);
  }
  return {
    ...{ corrected, onBelow, offAbove },
    horizonS: numberAbove('hybrid.horizonS', options.horizonS ?? 60, 0),
    forgettingS: numberAbove('hybrid.forgettingS', options.forgettingS ?? 3600, 0),
    ridge: numberAbove('hybrid.ridge', options.ridge ?? 10, 0),
    clip: numberAbove('hybrid.clip', options.clip ?? 3, 0),
    reach: numberAbove('hybrid.reach', options.reach ?? 0.5, 0),
    minComparisons: integerBetween('hybrid.minComparisons', options.minComparisons ?? 30, 1),
  };
}
