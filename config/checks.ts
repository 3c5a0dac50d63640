/** Settings of the checks that are off by default: see docs/operators. */
import { resolveDriftOptions } from '../operators/steps/driftOptions.ts';
import { choice, duration, number, orNull, whole } from './formats.ts';
import { group } from './spec.ts';
import type { Complain } from './spec.ts';

/** Of values that a check keeps. */
export const MAX_COUNT = 100_000;

export function samplesFitWindow(
  { minSamples, windowSize }: { readonly minSamples: number; readonly windowSize: number },
  complain: Complain,
): void {
  if (minSamples <= windowSize) return;
  complain('minSamples', `${minSamples} is not valid, expected at most windowSize (${windowSize})`);
}

export const rate = group(
  'Limits of the change per second, by source time; beyond them a reading is Uncertain. Off by default. At least one of the limits is needed.',
  {
    maxRisePerS: orNull(
      number('Fastest credible rise, in `unit` per second; null = rises are not judged.', 0, { above: 0 }),
    ),
    maxFallPerS: orNull(
      number(
        'Fastest credible fall, in `unit` per second, a positive number; null = falls are not judged.',
        0,
        { above: 0 },
      ),
    ),
    minIntervalMs: duration('Shortest time over which a rate is taken; 0 = each interval as it is.', 0),
    confirmCount: whole('Rejected values in a row after which the new level is believed.', 5, { min: 1 }),
  },
  {
    check({ maxRisePerS, maxFallPerS }, complain) {
      if (maxRisePerS !== null || maxFallPerS !== null) return;
      complain('maxRisePerS', 'missing, expected a number > 0 for it or for maxFallPerS');
    },
  },
);

export const hampel = group(
  'Distance from the median of the values before, by their median absolute deviation; beyond the threshold a reading is Uncertain. Off by default.',
  {
    windowSize: whole('Values that median and deviation are computed from.', 60, {
      min: 3,
      max: MAX_COUNT,
    }),
    minSamples: whole('No verdict before so many values.', 20, { min: 3, max: MAX_COUNT }),
    threshold: number('Largest credible distance from the median, in robust standard deviations.', 4, {
      above: 0,
    }),
    stdDevFloor: number(
      'A smaller robust standard deviation, in `unit`, counts as this; 0 = no verdict while most values are the same.',
      0,
      { min: 0 },
    ),
    confirmCount: whole('Outliers in a row after which the new level is believed.', 5, { min: 1 }),
  },
  { check: samplesFitWindow },
);

export const drift = group(
  'A level that has moved away from its reference; while it lasts, readings are Uncertain. Off by default. Standard deviations are those of the reference.',
  {
    method: choice('Cumulative sum (Page) or exponentially weighted moving average (Roberts).', 'cusum', [
      'cusum',
      'ewma',
    ]),
    referenceMean: orNull(
      number('Value while nothing drifts, in `unit`; null = learned. Only with referenceStdDev.', 0),
    ),
    referenceStdDev: orNull(
      number(
        "Standard deviation of the sensor's noise, in `unit`; null = learned. Only with referenceMean.",
        0,
        {
          above: 0,
        },
      ),
    ),
    learnCount: whole('First readings that the reference is learned from; no verdict before.', 400, {
      min: 10,
      max: MAX_COUNT,
    }),
    stdDevFloor: number('A smaller learned standard deviation, in `unit`, counts as this.', 0, { min: 0 }),
    readingsPerFalseAlarm: number(
      'Readings from one false alarm to the next while nothing drifts; the threshold follows from it.',
      100_000,
      { min: 10, max: 1e9 },
    ),
    thresholdStdDevs: orNull(
      number('The threshold itself, instead: h of the sums, L of the moving average.', 0, { above: 0 }),
    ),
    slackStdDevs: number('`cusum`: k, half the shift that is to be found.', 0.5, { above: 0 }),
    smoothing: number('`ewma`: weight of the newest reading.', 0.1, { min: 0.05, max: 1 }),
    clipStdDevs: number('A reading further off counts as this far off.', 4, { above: 0 }),
    confirmCount: orNull(
      whole(
        'Flagged readings in a row after which the new level is believed, and learned; null = never.',
        0,
        {
          min: 1,
        },
      ),
    ),
  },
  {
    check(options, complain) {
      try {
        resolveDriftOptions(options);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        const [key = '', ...problem] = error.message.split(': ');
        complain(key, problem.join(': '));
      }
    },
  },
);
