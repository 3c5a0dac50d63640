/** Settings of the estimates: see docs/operators. */
import { MAX_COUNT } from './checks.ts';
import { choice, duration, number, orNull, pair, triple, whole } from './formats.ts';
import { group } from './spec.ts';

export const kalman = group('Filter of value and rate of change, x = [value, rate].', {
  mode: choice(
    'What is assumed of the process; `adaptive` takes it from the readings. What follows `measurementVariance` is for modes other than `constantVelocity`.',
    'constantVelocity',
    ['constantVelocity', 'whiteAcceleration', 'adaptive'],
  ),
  initialVariance: pair('Variance of value and rate at the first reading; `constantVelocity` only.', [1, 1]),
  processNoise: pair(
    'Variance that value and rate gain a second: how lively the process is; `constantVelocity` only.',
    [0.01, 0.01],
  ),
  measurementVariance: number("Variance of the sensor's noise, in `unit` squared.", 0.5, { above: 0 }),
  accelerationNoise: triple(
    'Intensity of the acceleration when quiet, moving and lively, in multiples of `measurementVariance` per s^3; `whiteAcceleration` uses the second.',
    [2e-7, 0.008, 0.05],
  ),
  initialRateNoise: number(
    'Variance of the rate at the first reading, in multiples of `measurementVariance` per s^2.',
    0.5,
    { above: 0 },
  ),
  dwellS: triple(
    'How long the process stays quiet, moving and lively on average, in s; `adaptive` only.',
    [6000, 1500, 100],
  ),
  shiftNis: orNull(
    number('Normalised innovation squared beyond which a reading is off the level; null = none is.', 25, {
      above: 0,
    }),
    25,
  ),
  confirmCount: whole(
    'Readings off the level that agree with one another, after which a new one is believed.',
    3,
    { min: 1 },
  ),
  unconfirmed: choice(
    'What is reported until then: the new level (follow), the old one (hold), or what has been right more often on this sensor.',
    'likelier',
    ['likelier', 'follow', 'hold'],
  ),
  noiseCount: orNull(
    whole(
      "Readings over which the sensor's noise is learned, beginning with `measurementVariance`; null = it is that.",
      200,
      { min: 10 },
    ),
    200,
  ),
});

export const smooth = group(
  'A second estimate, some seconds behind, which knows what came afterwards (smoothState). Off by default. The filters are those of `kalman`; where that says `constantVelocity`, `adaptive` ones with its other settings.',
  {
    lagMs: duration(
      'How far it stays behind the newest reading, source time; it has a record of its own.',
      10_000,
      1,
    ),
    everyMs: duration('Smoothed estimates come together, so often, and so much later; 0 = one by one.', 0),
    maxReadings: whole('Readings held at most; beyond, the lag is shorter.', 1000, {
      min: 2,
      max: MAX_COUNT,
    }),
  },
);
