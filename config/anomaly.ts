import { anomalyBaseline } from './anomalyBaseline.ts';
import { number, orNull, texts, whole } from './formats.ts';
import { nameProblem } from './names.ts';
import { group } from './spec.ts';
import type { Spec } from './spec.ts';
import type { AnomalyConfig } from './types.ts';

const MAX_SENSORS = 64;

/** Thirty years and more: what is longer is a slip of the pen. */
const MAX_MS = 1e12;
const atLeastOneMs = (doc: string, fallback: number) => number(doc, fallback, { min: 1, max: MAX_MS });

export const anomaly: Spec<AnomalyConfig> = group(
  'Alarms when the sensors of the asset, together, leave what is normal (detectAnomaly); null = off.',
  {
    sensors: texts('Sensors that are judged together; leave out those that may drift freely.', undefined, {
      expected: `a list of 1 to ${MAX_SENSORS} names of sensors, each once`,
      test: (name) => nameProblem(name) === undefined,
    }),
    intervalMs: atLeastOneMs('Readings of a sensor within it are averaged, source time.', 1000),
    learnCount: whole('Intervals with readings that the baseline is learned from.', 400, {
      min: 20,
      max: 100_000,
    }),
    smoothingMs: atLeastOneMs('Time constant over which deviations are averaged.', 10_000),
    baselineMs: orNull(
      atLeastOneMs('Time constant with which the baseline follows slow drift; null = it stays.', 100_000),
      100_000,
    ),
    falseAlarmRate: number('Share of intervals over the threshold by chance.', 0.001, {
      min: 1e-9,
      max: 0.5,
    }),
    clearRatio: number('The alarm clears below this share of the threshold.', 0.5, { min: 0.01, max: 1 }),
    maxDeviation: number('A value further off counts as just so many standard deviations.', 4, { above: 0 }),
    staleAfterMs: atLeastOneMs(
      'Without a usable reading for so long, and for 3 of its usual intervals, a sensor is left out.',
      30_000,
    ),
    acceptAfterMs: orNull(
      atLeastOneMs('After so long in alarm the state is learned as normal; null = never.', 3_600_000),
      3_600_000,
    ),
    recordEveryMs: number('A record at least so often, source time; 0 = for every interval.', 60_000, {
      min: 0,
      max: MAX_MS,
    }),
    baseline: anomalyBaseline,
  },
  {
    check({ baseline, ...options }, complain) {
      const { sensors, smoothingMs, baselineMs } = options;
      if (sensors.length > MAX_SENSORS)
        complain('sensors', `has ${sensors.length}, expected at most ${MAX_SENSORS}`);
      if (baselineMs !== null && baselineMs <= smoothingMs)
        complain('baselineMs', `${baselineMs} is not valid, expected more than smoothingMs (${smoothingMs})`);
      if (baseline === null) return;
      if (baseline.sensors.join('\n') !== sensors.join('\n')) {
        const [found, expected] = [baseline.sensors.join(', '), sensors.join(', ')];
        complain('baseline', `learned from ${found}, expected ${expected}, in this order; learn it again`);
      }
      for (const key of ['intervalMs', 'smoothingMs', 'baselineMs'] as const) {
        if (baseline[key] === options[key]) continue;
        const problem = `learned with ${key} ${baseline[key]}, expected ${options[key]} as here; learn it again`;
        complain('baseline', problem);
      }
    },
  },
);
