/** Settings of the checks that are off by default: see docs/operators. */
import { duration, number, orNull, whole } from './formats.ts';
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
