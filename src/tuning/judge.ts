import { resolveEstimateOptions } from '../../operators/steps/estimate.ts';
import type { EstimateOptions } from '../../operators/steps/estimate.ts';
import { eachInnovation, logDensity, settleCount } from './innovations.ts';
import type { Run } from './runs.ts';

/** How a filter does on readings that it was not fitted to. */
export interface Judgement {
  /** Readings judged. */
  readonly count: number;
  /** Mean normalised innovation squared, without readings off the level: 1 where the variances are right. null without any. */
  readonly nis: number | null;
  /** Correlation of an innovation with the one before: 0 where nothing more could have been foretold. null without any. */
  readonly lag1: number | null;
  /** Share of measurements inside the predicted band of 95 %. */
  readonly inBand: number;
  /** Readings off the level: spikes, and the first ones of new levels. */
  readonly offCount: number;
  /** Mean logarithm of the density with which the readings were foretold; the more, the better. */
  readonly score: number;
  /** The same, reading by reading. */
  readonly scores: Float64Array;
}

/** NIS that a normal innovation exceeds in 5 % of all readings. */
const BAND_NIS = 3.8415;

/** Runs the filter over everything, and judges it by what comes after the first `fitted` readings. */
export function judge(
  runs: readonly Run[],
  fitted: number,
  options: EstimateOptions,
  span: number,
): Judgement {
  const scores: number[] = [];
  let [sum, sumCount, inside, off] = [0, 0, 0, 0];
  let [square, product, previous] = [0, 0, 0];
  let before = 0;
  const resolved = resolveEstimateOptions(options);
  for (const run of runs) {
    const from = Math.max(settleCount(run), fitted - before);
    eachInnovation([run], resolved, (innovation, i) => {
      if (i < from) return;
      const { y, s, isOff } = innovation;
      const nis = (y * y) / s;
      scores.push(logDensity(innovation, span));
      if (nis <= BAND_NIS) inside += 1;
      if (isOff) {
        off += 1;
        previous = 0;
        return;
      }
      const v = y / Math.sqrt(s);
      sum += nis;
      sumCount += 1;
      square += v * v;
      product += v * previous;
      previous = v;
    });
    before += run.times.length;
    previous = 0;
  }
  const count = scores.length;
  return {
    count,
    nis: sumCount === 0 ? null : sum / sumCount,
    lag1: square > 0 ? product / square : null,
    inBand: count === 0 ? 0 : inside / count,
    offCount: off,
    score: scores.reduce((total, each) => total + each, 0) / Math.max(1, count),
    scores: Float64Array.from(scores),
  };
}

const BATCHES = 20;

/**
 * By how much a foretells the readings better than b, a reading, and the standard error of that, from the means of batches, as
 * neighbouring readings are not independent.
 */
export function advantage(a: Judgement, b: Judgement): { readonly mean: number; readonly error: number } {
  const count = Math.min(a.count, b.count);
  const batches = Math.min(BATCHES, count);
  const means = Array.from({ length: batches }, (_, k) => {
    const [from, to] = [Math.floor((k * count) / batches), Math.floor(((k + 1) * count) / batches)];
    let sum = 0;
    for (let i = from; i < to; i++) sum += (a.scores[i] ?? 0) - (b.scores[i] ?? 0);
    return sum / (to - from);
  });
  const mean = means.reduce((sum, each) => sum + each, 0) / batches;
  const spread = means.reduce((sum, each) => sum + (each - mean) ** 2, 0) / Math.max(1, batches - 1);
  return { mean, error: Math.sqrt(spread / batches) };
}
