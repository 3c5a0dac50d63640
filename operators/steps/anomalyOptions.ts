import { integerBetween, numberAbove, numberAtLeast } from '../options.ts';
import type { AnomalyBaseline } from './anomalyBaseline.ts';

export interface AnomalyOptions {
  /** Name in the records. */
  readonly asset: string;
  /** The sensors that are judged together, 1 to 64. Leave out those that may drift freely. */
  readonly sensors: readonly string[];
  /** Readings of a sensor within such an interval of source time are averaged. Milliseconds, > 0. Default 1000. */
  readonly intervalMs?: number;
  /** Intervals with readings from which the baseline is learned; up to ten times as many while a sensor has fewer than 10 values. Integer, 20 to 100 000. Default 400. */
  readonly learnCount?: number;
  /** Time constant over which deviations are averaged, milliseconds. > 0. Default 10 000. */
  readonly smoothingMs?: number;
  /** Time constant with which the baseline follows slow drift, milliseconds; null = it stays. > smoothingMs. Default 100 000. */
  readonly baselineMs?: number | null;
  /** Share of intervals in which the score may exceed the threshold by chance, 1e-9 to 0.5. Default 0.001. */
  readonly falseAlarmRate?: number;
  /** The alarm clears when the score falls below this share of the threshold, 0.01 to 1. Default 0.5. */
  readonly clearRatio?: number;
  /** A value further than so many standard deviations from its baseline counts as just so far. > 0. Default 4. */
  readonly maxDeviation?: number;
  /** A sensor without a usable reading for so long, and for three of its usual intervals, is left out. Milliseconds, > 0. Default 30 000. */
  readonly staleAfterMs?: number;
  /** After so long in alarm the new state is learned as normal; null = never. Milliseconds, > 0. Default 3 600 000. */
  readonly acceptAfterMs?: number | null;
  /** A record at least so often, in source time, milliseconds; 0 = for every interval. Default 60 000. */
  readonly recordEveryMs?: number;
  /** Learned before, for instance from a recording; then nothing is learned. Default: the first readings are. */
  readonly baseline?: AnomalyBaseline | null;
}

export interface ResolvedAnomalyOptions extends Required<Omit<AnomalyOptions, 'baseline'>> {
  readonly baseline: AnomalyBaseline | null;
  /** Place of each sensor in the arrays of state and baseline. */
  readonly indexOf: ReadonlyMap<string, number>;
}

const MAX_SENSORS = 64;

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveAnomalyOptions(options: AnomalyOptions): ResolvedAnomalyOptions {
  const { asset, sensors, baseline = null } = options;
  const indexOf = new Map(sensors.map((sensor, index) => [sensor, index]));
  integerBetween('sensors.length', sensors.length, 1, MAX_SENSORS);
  if (indexOf.size !== sensors.length)
    throw new RangeError(`sensors: ${sensors.join(', ')} is not valid, expected each only once`);
  if (baseline !== null && baseline.sensors.join('\n') !== sensors.join('\n')) {
    throw new RangeError(
      `baseline: one of ${baseline.sensors.join(', ')} is not valid, expected one of ${sensors.join(', ')}`,
    );
  }
  const smoothingMs = numberAbove('smoothingMs', options.smoothingMs ?? 10_000, 0);
  const { baselineMs = 100_000, acceptAfterMs = 3_600_000 } = options;
  return {
    asset,
    sensors: [...sensors],
    intervalMs: numberAbove('intervalMs', options.intervalMs ?? 1000, 0),
    learnCount: integerBetween('learnCount', options.learnCount ?? 400, 20, 100_000),
    smoothingMs,
    baselineMs: baselineMs === null ? null : numberAbove('baselineMs', baselineMs, smoothingMs),
    falseAlarmRate: between('falseAlarmRate', options.falseAlarmRate ?? 0.001, 1e-9, 0.5),
    clearRatio: between('clearRatio', options.clearRatio ?? 0.5, 0.01, 1),
    maxDeviation: numberAbove('maxDeviation', options.maxDeviation ?? 4, 0),
    staleAfterMs: numberAbove('staleAfterMs', options.staleAfterMs ?? 30_000, 0),
    acceptAfterMs: acceptAfterMs === null ? null : numberAbove('acceptAfterMs', acceptAfterMs, 0),
    recordEveryMs: numberAtLeast('recordEveryMs', options.recordEveryMs ?? 60_000, 0),
    baseline,
    indexOf,
  };
}

function between(key: string, value: number, min: number, max: number): number {
  if (value >= min && value <= max) return value;
  throw new RangeError(`${key}: ${value} is not valid, expected a number >= ${min} and <= ${max}`);
}
