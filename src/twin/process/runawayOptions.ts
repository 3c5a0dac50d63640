import { integerBetween, numberAbove, numberAtLeast, oneOf } from '../../../operators/options.ts';
import type { ProcessModel } from './model.ts';

export interface RunawayOptions {
  /** What must not be crossed, in the output's unit. */
  readonly limit: number;
  /** Output of the model that the limit is of. Default `temperature`. */
  readonly output?: string;
  /**
   * States whose balances make the divergence. Default: concentration and temperature where the model has both (a jacket's
   * own balance only hides theirs), else all.
   */
  readonly states?: readonly string[] | null;
  /** Which signs it takes to warn: one of the two, each alone, or both. Default `either`. */
  readonly criterion?: RunawayCriterion;
  /** Divergence beyond which it is a sign, 1/s; >= 0. Default 0. */
  readonly divergencePerS?: number;
  /** By how many of its standard deviations it must be beyond. Default 2. */
  readonly divergenceStdDevs?: number;
  /** Of crossing the limit within the horizon, from which on it is a sign; > 0, < 1. Default 0.9. */
  readonly probability?: number;
  /** How far the prediction goes, inputs held. Default 90000. */
  readonly horizonMs?: number;
  /** Time of the twin between two evaluations. Default 2500. */
  readonly everyMs?: number;
  /** Evaluations in a row before a level rises, and before it falls. Default 2 and 12. */
  readonly confirmCount?: number;
  readonly clearCount?: number;
  /** Measured inputs are averaged over about so long, as their noise would be held over the horizon. Default 15000. */
  readonly inputAverageMs?: number;
}

export const RUNAWAY_CRITERIA = ['either', 'divergence', 'prediction', 'both'] as const;
export type RunawayCriterion = (typeof RUNAWAY_CRITERIA)[number];

export interface ResolvedRunaway {
  readonly limit: number;
  readonly output: string;
  /** Places among the model's states. */
  readonly states: readonly number[];
  readonly criterion: RunawayCriterion;
  readonly divergencePerS: number;
  readonly divergenceStdDevs: number;
  readonly probability: number;
  readonly horizonS: number;
  readonly everyS: number;
  readonly confirmCount: number;
  readonly clearCount: number;
  readonly inputAverageS: number;
}

const BALANCES = ['concentration', 'temperature'];

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveRunaway(model: ProcessModel, options: RunawayOptions): ResolvedRunaway {
  const names = model.states.map(({ name }) => name);
  const usual = BALANCES.every((name) => names.includes(name)) ? BALANCES : names;
  const probability = numberAbove('runaway.probability', options.probability ?? 0.9, 0);
  if (probability >= 1) {
    throw new RangeError(`runaway.probability: ${probability} is not valid, expected a number < 1`);
  }
  if (!Number.isFinite(options.limit)) {
    throw new RangeError(`runaway.limit: ${options.limit} is not valid, expected a number`);
  }
  const output = options.output ?? 'temperature';
  if (!Object.hasOwn(model.outputs, output)) {
    const known = Object.keys(model.outputs).join(', ');
    throw new RangeError(`runaway.output: ${output} is not valid, expected one of ${known}`);
  }
  const given = options.states ?? [];
  return {
    limit: options.limit,
    output,
    states: (given.length === 0 ? usual : given).map((name) => {
      const place = names.indexOf(name);
      if (place >= 0) return place;
      throw new RangeError(`runaway.states: ${name} is not valid, expected some of ${names.join(', ')}`);
    }),
    criterion: oneOf('runaway.criterion', options.criterion ?? 'either', RUNAWAY_CRITERIA),
    divergencePerS: numberAtLeast('runaway.divergencePerS', options.divergencePerS ?? 0, 0),
    divergenceStdDevs: numberAtLeast('runaway.divergenceStdDevs', options.divergenceStdDevs ?? 2, 0),
    probability,
    horizonS: numberAbove('runaway.horizonMs', options.horizonMs ?? 90_000, 0) / 1000,
    everyS: numberAbove('runaway.everyMs', options.everyMs ?? 2500, 0) / 1000,
    confirmCount: integerBetween('runaway.confirmCount', options.confirmCount ?? 2, 1),
    clearCount: integerBetween('runaway.clearCount', options.clearCount ?? 12, 1),
    inputAverageS: numberAtLeast('runaway.inputAverageMs', options.inputAverageMs ?? 15_000, 0) / 1000,
  };
}
