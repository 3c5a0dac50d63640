import { integerBetween, numberAbove, numberAtLeast, oneOf } from '../options.ts';
import type { Reference } from './driftReference.ts';
import { cusumThreshold, ewmaLimit, ewmaThreshold } from './driftRunLength.ts';

/** Standard deviations are those of the reference. */
export interface DriftOptions {
  /** `cusum`: two-sided cumulative sum (Page). `ewma`: exponentially weighted moving average (Roberts). Default `cusum`. */
  readonly method?: 'cusum' | 'ewma';
  /** Value that the sensor reads while nothing drifts, in its unit. Default null: learned. Only with referenceStdDev. */
  readonly referenceMean?: number | null;
  /** Standard deviation of its noise, in its unit. > 0. Default null: learned. Only with referenceMean. */
  readonly referenceStdDev?: number | null;
  /** First readings that the reference is learned from; no verdict before. Integer from 10 to 100 000. Default 400. */
  readonly learnCount?: number;
  /** A learned standard deviation below this, in the reading's unit, counts as this. >= 0. Default 0. */
  readonly stdDevFloor?: number;
  /**
   * Average run length: readings from one false alarm to the next while nothing drifts, if they are independent and
   * normal. The threshold follows from it. From 10 to 1e9. Default 100 000.
   */
  readonly readingsPerFalseAlarm?: number;
  /**
   * The threshold itself, instead: h of the cumulative sums, or L, the limit of the average in standard deviations of the
   * average. > 0. Default null.
   */
  readonly thresholdStdDevs?: number | null;
  /** `cusum`: k, what a reading may be off without being summed up; half the shift that is to be found. > 0. Default 0.5. */
  readonly slackStdDevs?: number;
  /** `ewma`: lambda, weight of the newest reading. From 0.05 to 1. Default 0.1. */
  readonly smoothing?: number;
  /** A reading further off counts as this far off, so that a single spike is no drift. > 0. Default 4. */
  readonly clipStdDevs?: number;
  /** Flagged readings in a row after which the new level is believed, and learned. Integer >= 1. Default null: never. */
  readonly confirmCount?: number | null;
}

export interface ResolvedDriftOptions extends Required<
  Omit<DriftOptions, 'referenceMean' | 'referenceStdDev' | 'thresholdStdDevs' | 'readingsPerFalseAlarm'>
> {
  /** null: learned. */
  readonly reference: Reference | null;
  readonly thresholdStdDevs: number;
}

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveDriftOptions(options: DriftOptions): ResolvedDriftOptions {
  const method = oneOf('method', options.method ?? 'cusum', ['cusum', 'ewma']);
  const slackStdDevs = numberAbove('slackStdDevs', options.slackStdDevs ?? 0.5, 0);
  const smoothing = numberAtLeast('smoothing', options.smoothing ?? 0.1, 0.05);
  if (smoothing > 1) throw new RangeError(`smoothing: ${smoothing} is not valid, expected a number <= 1`);
  const readings = numberAtLeast('readingsPerFalseAlarm', options.readingsPerFalseAlarm ?? 1e5, 10);
  if (readings > 1e9)
    throw new RangeError(`readingsPerFalseAlarm: ${readings} is not valid, expected a number <= 1e9`);
  const given = options.thresholdStdDevs ?? null;
  const thresholdStdDevs =
    given !== null
      ? numberAbove('thresholdStdDevs', given, 0)
      : method === 'cusum'
        ? cusumThreshold(slackStdDevs, readings)
        : ewmaThreshold(smoothing, readings);
  // A reading that counts for less than this could never raise an alarm, however many of them come.
  const needed = method === 'cusum' ? slackStdDevs : ewmaLimit(smoothing, thresholdStdDevs);
  const confirmCount = options.confirmCount ?? null;
  return {
    method,
    reference: referenceOf(options.referenceMean ?? null, options.referenceStdDev ?? null),
    learnCount: integerBetween('learnCount', options.learnCount ?? 400, 10, 100_000),
    stdDevFloor: numberAtLeast('stdDevFloor', options.stdDevFloor ?? 0, 0),
    thresholdStdDevs,
    slackStdDevs,
    smoothing,
    clipStdDevs: numberAbove('clipStdDevs', options.clipStdDevs ?? 4, needed),
    confirmCount: confirmCount === null ? null : integerBetween('confirmCount', confirmCount, 1),
  };
}

function referenceOf(mean: number | null, stdDev: number | null): Reference | null {
  if (mean === null && stdDev === null) return null;
  if (mean === null)
    throw new RangeError('referenceMean: null is not valid, expected a number with referenceStdDev');
  if (stdDev === null)
    throw new RangeError('referenceStdDev: null is not valid, expected a number > 0 with referenceMean');
  return {
    mean: numberAtLeast('referenceMean', mean, -Number.MAX_VALUE),
    stdDev: numberAbove('referenceStdDev', stdDev, 0),
  };
}
