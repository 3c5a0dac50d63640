import type { SensorConfig } from '../../config/types.ts';
import type { FilterProposal } from './filter.ts';
import type { Examined } from './flags.ts';
import { proposeRange, proposeRate, proposeSpike, proposeStuck } from './limits.ts';
import type { SensorRecord } from './recorder.ts';
import type { Plain, Setting } from './setting.ts';
import { proposeMissing, proposeOrder, proposeStale } from './timing.ts';
import type { Timing } from './timing.ts';
import { proposeHampel, proposeOutlier } from './windows.ts';

/**
 * All settings of a sensor, in the order in which readings meet them.
 *
 * @param given what the user has configured so far; null = nothing.
 */
export function settingsOf(
  record: SensorRecord,
  { timing, filter }: { readonly timing: Timing; readonly filter: FilterProposal },
  examined: Examined,
  given: SensorConfig | null,
): Setting[] {
  const range = rangeOf(record, examined, given);
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

function rangeOf(
  { runs, min, max, unit }: SensorRecord,
  { spikes }: Examined,
  given: SensorConfig | null,
): Setting {
  const clean = { min: Infinity, max: -Infinity };
  runs.forEach(({ values }, k) =>
    values.forEach((value, i) => {
      if (spikes[k]?.has(i) === true) return;
      clean.min = Math.min(clean.min, value);
      clean.max = Math.max(clean.max, value);
    }),
  );
  const isSameUnit = given !== null && (unit === given.unit || unit === '');
  return proposeRange(min, max, clean, isSameUnit ? given.range : false);
}
