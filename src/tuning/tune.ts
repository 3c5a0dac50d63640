import type { SensorConfig } from '../../config/types.ts';
import type { EstimateMode } from '../../operators/steps/estimate.ts';
import { proposeFilter } from './filter.ts';
import type { FilterProposal } from './filter.ts';
import { leastIntensity } from './fit.ts';
import { examine } from './flags.ts';
import type { Examined } from './flags.ts';
import { judge } from './judge.ts';
import type { Judgement } from './judge.ts';
import { proposeRange, proposeRate, proposeSpike, proposeStuck } from './limits.ts';
import { noiseStdDev } from './noise.ts';
import type { SensorRecord } from './recorder.ts';
import { resolutionOf } from './resolution.ts';
import { rounded } from './round.ts';
import { countOf, joined, splitRuns } from './runs.ts';
import type { Plain, Setting } from './setting.ts';
import { proposeMissing, proposeOrder, proposeStale, timingOf } from './timing.ts';
import type { Timing } from './timing.ts';
import { proposeHampel, proposeOutlier } from './windows.ts';

/** Fewer usable readings say too little. */
export const MIN_READINGS = 100;
/** Changes of the value, at least, from which noise can be told. */
const MIN_CHANGES = 10;

export interface Evidence {
  readonly timing: Timing;
  /** Readings held and examined; all usable ones of a recording that is not too long. */
  readonly held: number;
  readonly spikes: number;
  readonly resolution: number | null;
  readonly filter: FilterProposal;
  /** The filter as it was configured before, on the same readings; null where it is off. */
  readonly present: (Omit<Judgement, 'scores'> & { readonly mode: EstimateMode }) | null;
  /** Whether that was the user's configuration, not the defaults. */
  readonly isConfigured: boolean;
}

export interface SensorTuning {
  readonly record: SensorRecord;
  /** Why nothing is proposed; null where something is. */
  readonly reason: string | null;
  readonly evidence: Evidence | null;
  readonly settings: readonly Setting[];
  readonly hints: readonly string[];
}

/**
 * Proposes the settings of one sensor.
 *
 * @param present what is configured so far.
 * @param isGiven by the user: what is off in it is off for a reason.
 */
export function tuneSensor(record: SensorRecord, present: SensorConfig, isGiven: boolean): SensorTuning {
  const reason = tooLittle(record);
  if (reason !== null) return { record, reason, evidence: null, settings: [], hints: [] };
  const { runs, min, max } = record;
  const timing = timingOf(record);
  const resolution = resolutionOf(runs);
  const span = max - min;
  const durationMs = runs.reduce((sum, { times }) => sum + (times.at(-1) ?? 0) - (times[0] ?? 0), 0);
  const filter = proposeFilter({ runs, resolution, intervalMs: timing.medianMs, span, durationMs });
  const examined = examine(runs, filter.stdDev, resolution, timing.medianMs);
  const range = rangeOf(record, examined, present, isGiven);
  const evidence: Evidence = {
    ...{ timing, resolution, filter, held: examined.count, spikes: examined.spikeCount },
    present: presentFilter(runs, filter.fitted, present, span),
    isConfigured: isGiven,
  };
  return {
    record,
    reason: null,
    evidence,
    settings: settingsOf(record, evidence, examined, range, isGiven ? present : null),
    hints: hintsOf(record, evidence, durationMs),
  };
}

function tooLittle({ counts, runs, min, max }: SensorRecord): string | null {
  if (counts.usable < MIN_READINGS)
    return `${counts.usable} usable readings of ${counts.readings}, expected at least ${MIN_READINGS}`;
  if (min === max) return `constant: all ${counts.usable} usable readings are ${min}`;
  const whole = runs.filter(({ times }) => times.length >= MIN_READINGS / 2);
  if (countOf(whole) < MIN_READINGS)
    return `the ${counts.usable} usable readings come in ${runs.length} pieces, expected ${MIN_READINGS / 2} in a row`;
  let changes = 0;
  for (const { values } of runs) {
    for (let i = 1; i < values.length; i++) if (values[i] !== values[i - 1]) changes += 1;
  }
  if (changes < MIN_CHANGES)
    return `the value changes ${changes} times in ${counts.usable} usable readings, expected at least ${MIN_CHANGES}`;
  return null;
}

function rangeOf(
  { runs, min, max, unit }: SensorRecord,
  { spikes }: Examined,
  present: SensorConfig,
  isGiven: boolean,
): Setting {
  const clean = { min: Infinity, max: -Infinity };
  runs.forEach(({ values }, k) =>
    values.forEach((value, i) => {
      if (spikes[k]?.has(i) === true) return;
      clean.min = Math.min(clean.min, value);
      clean.max = Math.max(clean.max, value);
    }),
  );
  const sameUnit = unit === present.unit || unit === '';
  return proposeRange(min, max, clean, isGiven && sameUnit ? present.range : false);
}

function settingsOf(
  record: SensorRecord,
  { timing, filter }: Evidence,
  examined: Examined,
  range: Setting,
  given: SensorConfig | null,
): Setting[] {
  const limits = limitsOf(range, record);
  const unless = (key: 'outlier' | 'spike' | 'missing' | 'kalman', propose: () => Setting): Setting =>
    given?.[key] === false
      ? { key, value: undefined, note: 'off in the configuration, and left so' }
      : propose();
  const order = proposeOrder(record);
  return [
    ...(record.unit === '' || record.unit === given?.unit
      ? []
      : [{ key: 'unit', value: record.unit, note: 'as recorded' }]),
    ...(order === null ? [] : [order]),
    range,
    proposeRate(examined, filter.rates),
    unless('outlier', () => proposeOutlier(examined)),
    unless('spike', () => proposeSpike(examined, limits)),
    proposeHampel(examined),
    proposeStuck(record.unchangedMs, timing.medianMs, record.last - record.first),
    unless('missing', () => proposeMissing(timing)),
    unless('kalman', () => kalmanOf(filter)),
    proposeStale(timing, record),
  ];
}

function limitsOf({ value }: Setting, { min, max }: SensorRecord): { min: number; max: number } {
  if (typeof value !== 'object' || value === null || !('min' in value) || !('max' in value))
    return { min, max };
  return { min: Number(value.min), max: Number(value.max) };
}

function kalmanOf({ options, reason }: FilterProposal): Setting {
  const {
    mode,
    measurementVariance,
    processNoise,
    initialVariance,
    accelerationNoise,
    dwellS,
    initialRateNoise,
  } = options;
  const value: Record<string, Plain> =
    mode === 'constantVelocity'
      ? {
          mode,
          measurementVariance,
          processNoise: processNoise ?? null,
          initialVariance: initialVariance ?? null,
        }
      : {
          ...{ mode, measurementVariance, accelerationNoise: accelerationNoise ?? null },
          ...(dwellS !== undefined && { dwellS }),
          ...(initialRateNoise !== undefined && { initialRateNoise }),
        };
  return { key: 'kalman', value, note: `${mode}: ${reason}` };
}

function presentFilter(
  runs: SensorRecord['runs'],
  fitted: number,
  { kalman }: SensorConfig,
  span: number,
): Evidence['present'] {
  if (!kalman) return null;
  const { scores: _, ...judgement } = judge(runs, fitted, kalman, span);
  return { ...judgement, mode: kalman.mode };
}

function hintsOf(
  { runs }: SensorRecord,
  { filter, timing, resolution }: Evidence,
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
  if (judgement.lag1 !== null && Math.abs(judgement.lag1) > 0.2)
    hints.push(
      `innovations are correlated (${judgement.lag1.toFixed(2)}): the sensor filters itself, or the process moves otherwise than the model; the band is a rough one`,
    );
  const ratio = noiseRatio(runs);
  if (ratio > 2 && !isBelowResolution)
    hints.push(
      `the noise changes by a factor of ${ratio.toFixed(1)} within the recording: try kalman.noiseCount: 200`,
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
