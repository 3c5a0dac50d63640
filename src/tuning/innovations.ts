import { bankAdvance, estimateInitialState, estimateStep } from '../../operators/steps/estimate.ts';
import type { ResolvedEstimateOptions } from '../../operators/steps/estimate.ts';
import { NO_ISSUES } from '../../operators/types.ts';
import type { Reading } from '../../operators/types.ts';
import type { Run } from './runs.ts';

/** What the filter made of a measurement: y = z - H x before the update, of variance s. */
export interface Innovation {
  readonly y: number;
  readonly s: number;
  /** Off the level: a spike, or the first readings of a new level. */
  readonly isOff: boolean;
}

/** Beyond this NIS a reading is off the level for a filter that has no such test itself. */
const OFF_NIS = 25;

export const readingAt = (timestamp: number, value: number): Reading => ({
  asset: '',
  sensor: '',
  timestamp,
  value,
  unit: '',
  quality: 'Good',
  issues: NO_ISSUES,
  imputed: false,
  received: null,
});

/** Sends the runs through the filter of `estimateState`, each from a fresh start; visits all but what a start is made of. */
export function eachInnovation(
  runs: readonly Run[],
  options: ResolvedEstimateOptions,
  visit: (innovation: Innovation, indexInRun: number) => void,
): void {
  for (const { times, values } of runs) {
    const state = estimateInitialState(options.mode);
    for (let i = 0; i < times.length; i++) {
      const reading = readingAt(times[i] ?? 0, values[i] ?? 0);
      const found =
        options.mode === 'constantVelocity'
          ? ofReference(estimateStep(state, reading, options), options.measurementVariance)
          : ofBank(bankAdvance(state, reading, options.adaptive)?.result ?? null);
      if (found !== null) visit(found, i);
    }
  }
}

function ofReference(estimate: ReturnType<typeof estimateStep>, r: number): Innovation | null {
  if (estimate === null || estimate.innovation === null || estimate.nis === null) return null;
  const { innovation: y, nis, covariance } = estimate;
  // P after the update is P R / S with S = P + R, so S = R^2 / (R - P after).
  const s = nis > 0 ? (y * y) / nis : (r * r) / Math.max(r - covariance[0], r * 1e-9);
  return { y, s, isOff: nis > OFF_NIS };
}

function ofBank(result: NonNullable<ReturnType<typeof bankAdvance>>['result']): Innovation | null {
  if (result === null || result.y === null) return null;
  return { y: result.y, s: result.s, isOff: result.outcome === 'rejected' || result.outcome === 'moved' };
}

/** Share of readings that may be anything within the span of the recording. */
const OFF_SHARE = 0.01;

/**
 * Logarithm of the density with which the filter foretold a measurement (prediction error decomposition, Schweppe 1965):
 * normal, but for a share of readings that are anything within `span`, so that spikes and steps of the level cost a fixed
 * amount each and do not pass for noise.
 */
export function logDensity({ y, s }: Innovation, span: number): number {
  const normal = Math.exp((-0.5 * y * y) / s) / Math.sqrt(2 * Math.PI * s);
  return Math.log((1 - OFF_SHARE) * normal + OFF_SHARE / (2 * span));
}

/** Readings after a start that are not counted: the filter knows neither level nor rate yet. */
export const settleCount = (run: Run): number => Math.min(20, Math.floor(run.times.length / 4));

/** Mean of `logDensity` over the runs; -Infinity where nothing can be said. */
export function meanLogDensity(runs: readonly Run[], options: ResolvedEstimateOptions, span: number): number {
  let sum = 0;
  let count = 0;
  const settled = Math.min(...runs.map(settleCount), 20);
  eachInnovation(runs, options, (innovation, i) => {
    if (i < settled) return;
    sum += logDensity(innovation, span);
    count += 1;
  });
  return count === 0 ? -Infinity : sum / count;
}
