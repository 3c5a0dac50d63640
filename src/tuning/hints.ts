import { LARGE_LAG1 } from './filter.ts';
import type { FilterProposal } from './filter.ts';
import { leastIntensity } from './fit.ts';
import { noiseStdDev } from './noise.ts';
import type { SensorRecord } from './recorder.ts';
import { rounded } from './round.ts';
import { countOf, joined, splitRuns } from './runs.ts';
import type { Timing } from './timing.ts';

interface Found {
  readonly filter: FilterProposal;
  readonly timing: Timing;
  readonly resolution: number | null;
}

/** Fewer readings do not tell a correlation. */
const MIN_JUDGED = 50;

/** What must not be missed: why the proposal is not to be trusted, and what to do. */
export function warningsOf({ options, judgement: { lag1, count } }: FilterProposal): string[] {
  if (lag1 === null || Math.abs(lag1) <= LARGE_LAG1 || count < MIN_JUDGED) return [];
  const how =
    lag1 > 0
      ? 'the process curves within a few readings, or the sensor smooths itself: record at a shorter interval, or unsmoothed, and tune again'
      : 'the readings swing from one to the next more than the model can: look for an oscillation or for values written twice, and tune again';
  return [
    `the filter does not explain the readings (correlation of innovations ${lag1.toFixed(2)}, expected 0): ${how}, or set kalman.measurementVariance (here ${options.measurementVariance}) from the sensor's data sheet; do not rely on its band`,
  ];
}

/**
 * What the figures alone do not say.
 *
 * @param durationMs of the readings examined.
 */
export function hintsOf(
  { runs }: SensorRecord,
  { filter, timing, resolution }: Found,
  durationMs: number,
): string[] {
  const hints: string[] = [];
  const { options, stdDev, isBelowResolution, judgement } = filter;
  if (isBelowResolution)
    hints.push(
      `the noise is below the resolution: measurementVariance is step^2 / 12 (step ${resolution}), not measured`,
    );
  const fittedS = { intervalS: timing.medianMs / 1000, durationS: durationMs / 1000 };
  const [, second = Infinity] = options.accelerationNoise ?? [];
  if (options.mode !== 'constantVelocity' && second <= 1.5 * leastIntensity(fittedS))
    hints.push(
      'the process hardly moves in this recording: tune again with one in which it does, or raise accelerationNoise',
    );
  if (judgement.lag1 !== null && Math.abs(judgement.lag1) > 0.2 && warningsOf(filter).length === 0)
    hints.push(
      `innovations are correlated (${judgement.lag1.toFixed(2)}): the sensor filters itself, or the process moves otherwise than the model; the band is a rough one`,
    );
  const ratio = noiseRatio(runs);
  if (ratio > 2 && !isBelowResolution && options.mode === 'constantVelocity')
    hints.push(
      `the noise changes by a factor of ${ratio.toFixed(1)} within the recording: the other modes learn it (kalman.noiseCount)`,
    );
  const steady = steadiness(runs);
  if (steady.lag1 < 0.3)
    hints.push(
      `the level stands still: if its true value is held, drift: { referenceMean: ${rounded(steady.mean)}, referenceStdDev: ${rounded(Math.max(stdDev, steady.stdDev))} } finds a slow change of it`,
    );
  return hints;
}

/** Of the noise by differences, the largest fifth of the recording against the smallest. */
function noiseRatio(runs: SensorRecord['runs']): number {
  const count = countOf(runs);
  const found: number[] = [];
  let rest = runs;
  for (let k = 5; k > 0; k--) {
    const [part, after] = splitRuns(rest, Math.floor(countOf(rest) / k));
    found.push(noiseStdDev(part));
    rest = after;
  }
  const usable = found.filter((each) => each > 0);
  return count < 1000 || usable.length < 5 ? 1 : Math.max(...usable) / Math.min(...usable);
}

function steadiness(runs: SensorRecord['runs']): { mean: number; stdDev: number; lag1: number } {
  const values = joined(runs, 'values');
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  let [square, product] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const d = (values[i] ?? 0) - mean;
    square += d * d;
    product += d * ((values[i - 1] ?? mean) - mean);
  }
  return { mean, stdDev: Math.sqrt(square / values.length), lag1: product / square };
}
