import type { Companion } from './companion.ts';
import type { EstimatedState } from './estimatedTwin.ts';
import { resolveEstimation } from './estimationOptions.ts';
import type { EstimationOptions } from './estimationOptions.ts';
import { Layout } from './layout.ts';
import type { ProcessModel } from './model.ts';
import { dynamicsOf } from './runawayDynamics.ts';
import { forecastOf } from './runawayForecast.ts';
import { inputAverages } from './runawayInputs.ts';
import type { InputAverages } from './runawayInputs.ts';
import { resolveRunaway } from './runawayOptions.ts';
import type { ResolvedRunaway, RunawayOptions } from './runawayOptions.ts';
import { at } from './squareRoot.ts';

export const RUNAWAY_LEVELS = ['none', 'watch', 'warning'] as const;
export type RunawayLevel = (typeof RUNAWAY_LEVELS)[number];

/** What it keeps. Plain data. */
export interface RunawayState {
  level: RunawayLevel;
  /** How long the level has been so, seconds of the twin. */
  forS: number;
  /** The signs at the last evaluation that spoke for the level; '' for none. */
  reason: string;
  /** Evaluations in a row that asked for a higher level, at least so high, and for a lower one. */
  higher: number;
  toWarning: number;
  lower: number;
  /** Until the next evaluation. */
  dueS: number;
  inputs: InputAverages;
  /** Of the last evaluation; null before the first. */
  last: RunawayEvaluation | null;
}

export interface RunawayEvaluation {
  divergencePerS: number;
  divergenceStdDevPerS: number;
  probability: number;
  timeToLimitS: number | null;
}

/** Signs at one evaluation, strong (asks for a warning) and weak (keeps one, asks for a watch). */
interface Signs {
  readonly beyond: boolean;
  readonly divergence: { readonly strong: boolean; readonly weak: boolean };
  readonly prediction: { readonly strong: boolean; readonly weak: boolean };
}

/** A prediction is a weak sign up to so many times the stated risk of being wrong, but not below half of the probability. */
const WEAK_RISK = 2;

/**
 * Warns before an exothermic reactor runs away, by two signs: the divergence of the heat and mass balance (F. Strozzi,
 * J. M. Zaldívar 1994, 1999), and the probability that the limit is crossed within the horizon, inputs held.
 *
 * A companion of an estimated twin of the same model and options. It speaks from its first evaluation on, after a measurement was taken in.
 *
 * @throws RangeError that names the option, its value and what was expected.
 */
export function runawayWarning(
  model: ProcessModel,
  estimation: EstimationOptions | undefined,
  options: RunawayOptions,
  name = 'runaway',
): Companion<RunawayState> {
  const settings = resolveRunaway(model, options);
  const layout = new Layout(model, resolveEstimation(model, estimation ?? {}).estimated);
  const shown = model.outputs[settings.output];
  const output = (x: ArrayLike<number>, u: ArrayLike<number>, p: ArrayLike<number>): number =>
    shown?.read(x, u, p) ?? NaN;
  const dynamics = dynamicsOf(model, layout, settings.states);
  const forecast = forecastOf(model, layout, output, settings);
  const averages = inputAverages(model.inputs.length, settings.inputAverageS);
  const point = layout.point();

  const evaluate = (own: RunawayState, { belief, u, taken }: EstimatedState): void => {
    // A model that nothing has been compared with knows nothing, and one without figures least of all.
    if (taken.every((count) => count === 0)) return;
    if (!belief.z.every(Number.isFinite) || !belief.s.every(Number.isFinite)) return;
    const inputs = averages.of(own.inputs, u);
    layout.unpack(belief.z, inputs, point);
    const now = output(point.x, point.u, point.p);
    const { divergence, stdDev } = dynamics(belief, inputs);
    const { probability, timeToLimitS } = forecast(belief, inputs);
    if (![now, divergence, stdDev, probability].every(Number.isFinite)) return;
    own.last = {
      divergencePerS: divergence,
      divergenceStdDevPerS: stdDev,
      probability,
      timeToLimitS,
    };
    judge(own, signsOf(settings, own.last, now), settings);
  };

  return {
    name,
    initial: () => ({
      level: 'none',
      forS: 0,
      reason: '',
      higher: 0,
      toWarning: 0,
      lower: 0,
      dueS: settings.everyS,
      inputs: averages.initial(),
      last: null,
    }),
    advanced(own, twin, dtS) {
      own.forS += dtS;
      own.dueS -= dtS;
      if (own.dueS > 0) return;
      // After a gap there is one evaluation, not all that were missed.
      own.dueS = Math.max(own.dueS + settings.everyS, 0);
      evaluate(own, twin);
    },
    told(own, { u, uIntervalS }, input) {
      averages.take(own.inputs, input, at(u, input), at(uIntervalS, input));
    },
    says({ level, forS, reason, last }) {
      return last === null ? null : { level, forS, reason, limit: settings.limit, ...last };
    },
  };
}

function signsOf(settings: ResolvedRunaway, last: RunawayEvaluation, now: number): Signs {
  const { divergencePerS, divergenceStdDevs, probability } = settings;
  const beyond = now >= settings.limit;
  const excess = last.divergencePerS - divergencePerS;
  return {
    beyond,
    divergence: {
      strong: excess > divergenceStdDevs * last.divergenceStdDevPerS,
      weak: excess > 0,
    },
    prediction: {
      strong: last.probability >= probability,
      weak: last.probability >= Math.max(probability / 2, 1 - WEAK_RISK * (1 - probability)),
    },
  };
}

/** Takes one evaluation into the level: up after `confirmCount` in a row, down after `clearCount` without weak signs. */
function judge(
  own: RunawayState,
  signs: Signs,
  { criterion, confirmCount, clearCount }: ResolvedRunaway,
): void {
  const { divergence, prediction, beyond } = signs;
  const by = (how: 'strong' | 'weak'): boolean => {
    if (beyond) return true;
    if (criterion === 'divergence') return divergence[how];
    if (criterion === 'prediction') return prediction[how];
    if (criterion === 'both') return divergence[how] && prediction[how];
    return divergence[how] || prediction[how];
  };
  const weak = beyond || divergence.weak || prediction.weak;
  own.toWarning = by('strong') ? own.toWarning + 1 : 0;
  own.higher = weak ? own.higher + 1 : 0;
  const keeps = own.level === 'warning' ? by('weak') : weak;
  own.lower = keeps ? 0 : own.lower + 1;

  let level = own.level;
  if (own.toWarning >= confirmCount) level = 'warning';
  else if (own.level === 'none' && own.higher >= confirmCount) level = 'watch';
  else if (own.lower >= clearCount) level = weak ? 'watch' : 'none';
  if (level !== own.level) {
    own.level = level;
    own.forS = 0;
    own.lower = 0;
  }
  if (level === 'none') own.reason = '';
  else if (weak) own.reason = reasonOf(signs);
}

function reasonOf({ beyond, divergence, prediction }: Signs): string {
  if (beyond) return 'limit';
  return [divergence.weak ? 'divergence' : '', prediction.weak ? 'prediction' : '']
    .filter((sign) => sign !== '')
    .join(' and ');
}
