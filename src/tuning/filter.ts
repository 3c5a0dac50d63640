import {
  estimateInitialState,
  estimateStep,
  resolveEstimateOptions,
} from '../../operators/steps/estimate.ts';
import type { EstimateMode, EstimateOptions } from '../../operators/steps/estimate.ts';
import { DEFAULTS, fit } from './fit.ts';
import type { FitInput } from './fit.ts';
import { readingAt } from './innovations.ts';
import { advantage, judge } from './judge.ts';
import type { Judgement } from './judge.ts';
import { noiseStdDev, smoothNoiseStdDev } from './noise.ts';
import { rounded } from './round.ts';
import { countOf, splitRuns, thinRuns } from './runs.ts';
import type { Run } from './runs.ts';

/** Share of the readings that the filters are fitted to; the rest says how they do. */
export const FITTED_SHARE = 0.7;
/** Readings that a fit looks at, in pieces of at least the second. */
const FITTED = 12_000;
const PIECE = 1500;
/** Readings that the rates are taken from. */
const RATED = 20_000;

export interface FilterInput {
  readonly runs: readonly Run[];
  /** Step in which values come; null = none seen. */
  readonly resolution: number | null;
  readonly intervalMs: number;
  readonly span: number;
  /** Of readings, from the first to the last one fitted, ms. */
  readonly durationMs: number;
}

export interface FilterProposal {
  readonly options: EstimateOptions & { readonly mode: EstimateMode; readonly measurementVariance: number };
  readonly reason: string;
  readonly judgement: Judgement;
  /** Mean log density of each mode on the readings that it was not fitted to. */
  readonly scores: Readonly<Record<EstimateMode, number>>;
  /** sqrt(R). */
  readonly stdDev: number;
  /** R is what the resolution alone makes. */
  readonly isBelowResolution: boolean;
  /** The filter's rates over the recording, unit/s. */
  readonly rates: readonly number[];
  /** Readings fitted to, of those held. */
  readonly fitted: number;
}

/** Innovations correlated more than so: the filter does not explain the readings. */
export const LARGE_LAG1 = 0.3;
/** Noise by differences so many times that by higher ones: between readings the process curves more than the noise. */
const CURVED = 2;

/** Fits each mode to the first 70 % and proposes the one that foretells the last 30 % best. */
export function proposeFilter(input: FilterInput): FilterProposal {
  const { runs, resolution, intervalMs, span, durationMs } = input;
  const fitted = Math.floor(FITTED_SHARE * countOf(runs));
  const [first] = splitRuns(runs, fitted);
  const step = resolution ?? span * 1e-9;
  const byDifferences = noiseStdDev(first, step);
  const fitInput: FitInput = {
    runs: thinRuns(first, FITTED, PIECE),
    stdDev: byDifferences > 0 ? byDifferences : step,
    leastVariance: rounded((step * step) / 12),
    intervalS: intervalMs / 1000,
    durationS: durationMs / 1000,
    span,
  };
  const candidatesOf = (from: FitInput): Candidate[] => {
    const white = fit('whiteAcceleration', from);
    return (['adaptive', 'whiteAcceleration', 'constantVelocity'] as const).map((name) => {
      const { options: found } = name === 'whiteAcceleration' ? white : fit(name, from, white.at);
      return { mode: name, options: found, judgement: judge(runs, fitted, found, span) };
    });
  };
  let candidates = candidatesOf(fitInput);
  const smooth = smoothNoiseStdDev(first, step);
  const isCurved = smooth > 0 && byDifferences > CURVED * smooth && smooth < Infinity;
  if (isCurved && Math.abs(best(candidates).judgement.lag1 ?? 0) > LARGE_LAG1) {
    // Where the process curves by more than the noise, R is free to become anything: it is held to what is measured.
    const leastVariance = Math.max(fitInput.leastVariance, rounded(smooth * smooth));
    candidates = candidatesOf({ ...fitInput, leastVariance, stdDev: smooth, isLively: true });
  }
  const { mode, options, judgement, reason } = best(candidates);
  const { measurementVariance = fitInput.leastVariance } = options;
  const rates = ratesOf(thinRuns(runs, RATED, PIECE), options);
  const scoreOf = (name: EstimateMode): number =>
    candidates.find((each) => each.mode === name)?.judgement.score ?? NaN;
  return {
    options: { ...withInitialRate(options, rates, measurementVariance), mode, measurementVariance },
    ...{ reason, judgement, rates, fitted },
    scores: {
      constantVelocity: scoreOf('constantVelocity'),
      whiteAcceleration: scoreOf('whiteAcceleration'),
      adaptive: scoreOf('adaptive'),
    },
    stdDev: Math.sqrt(measurementVariance),
    isBelowResolution: resolution !== null && measurementVariance <= fitInput.leastVariance * 1.2,
  };
}

interface Candidate {
  readonly mode: EstimateMode;
  readonly options: EstimateOptions;
  readonly judgement: Judgement;
}

/** Less than this, a reading, is no advantage worth a word, however certain it is. */
const LEAST_ADVANTAGE = 0.003;

/** `adaptive`, as it copes with what the recording does not show, unless another one is better by more than chance. */
function best(candidates: readonly Candidate[]): Candidate & { readonly reason: string } {
  const [adaptive, ...others] = candidates;
  if (adaptive === undefined) throw new RangeError('candidates: none');
  const better = others
    .map((candidate) => ({ candidate, ...advantage(candidate.judgement, adaptive.judgement) }))
    .filter(({ mean, error }) => mean > Math.max(LEAST_ADVANTAGE, 2 * error))
    .sort((a, b) => b.mean - a.mean)[0];
  if (better === undefined) {
    const reason = 'none of the others foretells the last 30 % better by more than chance';
    return { ...adaptive, reason };
  }
  const { candidate, mean, error } = better;
  const by = `${mean.toFixed(3)} +- ${error.toFixed(3)} in log density a reading`;
  return { ...candidate, reason: `it foretells the last 30 % better than adaptive, by ${by}` };
}

function ratesOf(runs: readonly Run[], options: EstimateOptions): number[] {
  const resolved = resolveEstimateOptions(options);
  const rates: number[] = [];
  for (const { times, values } of runs) {
    const state = estimateInitialState(resolved.mode);
    for (let i = 0; i < times.length; i++) {
      const estimate = estimateStep(state, readingAt(times[i] ?? 0, values[i] ?? 0), resolved);
      // The first rates are guesses.
      if (estimate !== null && i >= 20) rates.push(estimate.ratePerS);
    }
  }
  return rates;
}

/** A first guess of the rate that is wide enough for what was seen; the default where that is. */
function withInitialRate(
  options: EstimateOptions,
  rates: readonly number[],
  measurementVariance: number,
): EstimateOptions {
  const meanSquare = rates.reduce((sum, rate) => sum + rate * rate, 0) / Math.max(1, rates.length);
  const needed = (4 * meanSquare) / measurementVariance;
  if (options.mode === 'constantVelocity' || !(needed > DEFAULTS.initialRateNoise)) return options;
  return { ...options, initialRateNoise: rounded(needed) };
}
