import { describe, expect, test } from 'vitest';
import { sensorConfigFor } from '../../config/sensors.ts';
import type { SensorConfig } from '../../config/types.ts';
import { NO_ISSUES } from '../../operators/types.ts';
import type { Quality, Reading } from '../../operators/types.ts';
import { createRandom } from '../../src/plant/random.ts';
import { Recorder } from '../../src/tuning/recorder.ts';
import { tuneSensor } from '../../src/tuning/tune.ts';
import type { SensorTuning } from '../../src/tuning/tune.ts';
import { tuningYaml } from '../../src/tuning/yaml.ts';

const reading = (
  timestamp: number,
  value: number | null,
  unit = 'degC',
  quality: Quality = 'Good',
): Reading => ({
  ...{ asset: 'R101', sensor: 'temperature', timestamp, value, unit, quality },
  ...{ issues: NO_ISSUES, imputed: false, received: null },
});

const NOTHING_SET = sensorConfigFor({ assets: {}, sensorTypes: {} }, 'R101', 'temperature');

function tune(readings: Iterable<Reading>, present: SensorConfig | null = null): SensorTuning {
  const recorder = new Recorder(() => present?.unit ?? '');
  for (const each of readings) recorder.take(each);
  const [record] = [...recorder.records()];
  if (record === undefined) throw new Error('no record');
  return tuneSensor(record, present ?? NOTHING_SET, present !== null);
}

const setting = ({ settings }: SensorTuning, key: string): unknown =>
  settings.find((each) => each.key === key)?.value;
const noteOf = ({ settings }: SensorTuning, key: string): string =>
  settings.find((each) => each.key === key)?.note ?? '';

/** A reading a second for an hour: a sine, noise of 0.3, ten spikes, a gap of a minute. */
function* hour(unit = 'degC'): Generator<Reading> {
  const random = createRandom(7);
  for (let i = 0; i < 3600; i++) {
    const value = 85 + 5 * Math.sin(i / 100) + 0.3 * random.normal() + (i % 360 === 300 ? 40 : 0);
    yield reading(1.7e12 + (i + (i > 2000 ? 60 : 0)) * 1000, Math.round(value * 100) / 100, unit);
  }
}

describe('an hour of a temperature', () => {
  const tuning = tune(hour());

  test('evidence', () => {
    const { evidence } = tuning;
    expect(evidence?.timing).toMatchObject({
      medianMs: 1000,
      p5Ms: 1000,
      p95Ms: 1000,
      gaps: 1,
      longestMs: 61_000,
    });
    expect(evidence?.resolution).toBe(0.01);
    expect(evidence?.spikes).toBe(10);
    expect(Math.abs((evidence?.filter.stdDev ?? 0) / 0.3 - 1)).toBeLessThan(0.075);
    expect(evidence?.filter.judgement.count).toBe(1080);
    expect(evidence?.present?.mode).toBe('constantVelocity');
  });

  test('every limit finds the spikes and lets the rest be', () => {
    expect(setting(tuning, 'unit')).toBe('degC');
    const range = setting(tuning, 'range') as { min: number; max: number };
    expect(range.min).toBeLessThan(79);
    expect(range.max).toBeGreaterThan(tuning.record.max);
    for (const key of ['rate', 'spike', 'hampel']) {
      expect(setting(tuning, key), key).toBeTypeOf('object');
      expect(noteOf(tuning, key), key).toContain('10 of 10 spikes');
      expect(Number(/flags ([\d.]+) %/.exec(noteOf(tuning, key))?.[1]), key).toBeLessThanOrEqual(0.4);
    }
    expect(setting(tuning, 'spike')).toHaveProperty('maxRelativeChange');
    expect(setting(tuning, 'missing')).toEqual({ expectedIntervalMs: 1000 });
    expect(setting(tuning, 'staleAfterMs')).toBe(10_000);
    expect(setting(tuning, 'stuck')).toEqual({ maxDurationMs: 20_000 });
    expect(setting(tuning, 'kalman')).toHaveProperty('measurementVariance');
  });

  test('the configuration in force is respected', () => {
    const present: SensorConfig = {
      ...NOTHING_SET,
      ...{ unit: 'K', range: { min: 200, max: 500 }, spike: false, kalman: false },
    };
    const converted = tune(hour(), present);
    expect(converted.record.unit).toBe('K');
    expect(converted.record.min).toBeCloseTo(tuning.record.min + 273.15, 6);
    expect(setting(converted, 'range')).toEqual({ min: 200, max: 500 });
    expect(setting(converted, 'unit')).toBeUndefined();
    expect(setting(converted, 'spike')).toBeUndefined();
    expect(setting(converted, 'kalman')).toBeUndefined();
    expect(noteOf(converted, 'kalman')).toMatch(/off in the configuration/);
    expect(converted.evidence?.present).toBeNull();
  });
});

describe('values that pass near zero', () => {
  function* valve(): Generator<Reading> {
    const random = createRandom(8);
    for (let i = 0; i < 2000; i++) yield reading(i * 1000, Math.sin(i / 30) + 0.02 * random.normal(), '');
  }
  test('have an absolute limit, and no relative one within the range', () => {
    const tuning = tune(valve());
    const range = setting(tuning, 'range') as { min: number; max: number };
    const spike = setting(tuning, 'spike') as { maxAbsoluteChange: number; nearZero: number };
    expect(spike.maxAbsoluteChange).toBeGreaterThan(0.1);
    expect(spike.maxAbsoluteChange).toBeLessThan(0.6);
    expect(spike.nearZero).toBe(Math.max(-range.min, range.max));
    expect(setting(tuning, 'unit')).toBeUndefined();
  });
});

test('a process that curves by more than the noise: a sensible R, no false spikes, and a warning', () => {
  const random = createRandom(1);
  const smooth = Array.from({ length: 1000 }, (_, i) =>
    reading(i * 1000, 85 + 5 * Math.sin((2 * Math.PI * i) / 100) + 0.001 * random.normal()),
  );
  const tuning = tune(smooth);
  const { evidence, warnings } = tuning;
  const variance = (evidence?.filter.stdDev ?? NaN) ** 2;
  expect(variance).toBeGreaterThan(0.8e-6);
  expect(variance).toBeLessThan(1.5e-6);
  expect(evidence?.spikes).toBe(0);
  expect(Math.abs(evidence?.filter.judgement.lag1 ?? 0)).toBeGreaterThan(0.3);
  expect(warnings.join()).toMatch(
    /does not explain the readings .*: .*shorter interval.*measurementVariance/,
  );
  const yaml = tuningYaml([tuning], ['a.csv']).replaceAll(/\n +# /g, ' ');
  expect(yaml).toMatch(/WARNING: the filter does not explain the readings/);
});

describe('readings that come as they like', () => {
  function* irregular(): Generator<Reading> {
    const random = createRandom(9);
    let time = 0;
    for (let i = 0; i < 2000; i++) {
      time += 200 - 2000 * Math.log(1 - random.uniform());
      yield reading(time, 20 + 0.1 * random.normal());
      if (i % 50 === 0) yield reading(time - 150, 20, 'degC');
    }
  }
  const tuning = tune(irregular());
  test('have no expected interval, and wait to be put in order', () => {
    expect(setting(tuning, 'missing')).toBeUndefined();
    expect(noteOf(tuning, 'missing')).toMatch(/irregularly/);
    expect(setting(tuning, 'order')).toEqual({ maxDelayMs: 150 });
    expect(tuning.record.counts.late).toBe(40);
    expect(setting(tuning, 'staleAfterMs')).toBeGreaterThan(15_000);
  });
  test('of a level that stands still, R is the noise, and drift is hinted at', () => {
    expect(Math.abs((tuning.evidence?.filter.stdDev ?? 0) / 0.1 - 1)).toBeLessThan(0.075);
    expect(tuning.hints.join('\n')).toMatch(/referenceMean: 20,/);
  });
});

test.each([
  [
    'too few',
    Array.from({ length: 99 }, (_, i) => reading(i * 1000, i % 7)),
    /99 usable readings of 99, expected at least 100/,
  ],
  [
    'beyond the range of numbers',
    Array.from({ length: 500 }, (_, i) => reading(i * 1000, (i % 7) * 1e200)),
    /values from 0 to 6e\+200 cannot be judged/,
  ],
  [
    'constant',
    Array.from({ length: 500 }, (_, i) => reading(i * 1000, 7)),
    /constant: all 500 usable readings are 7/,
  ],
  [
    'hardly a change',
    Array.from({ length: 500 }, (_, i) => reading(i * 1000, i < 250 ? 7 : 8)),
    /changes 1 times/,
  ],
  [
    'Bad or missing',
    Array.from({ length: 500 }, (_, i) => reading(i * 1000, i % 2 ? null : i, 'degC', 'Bad')),
    /0 usable readings of 500/,
  ],
  [
    'in pieces',
    Array.from({ length: 500 }, (_, i) => reading(1e9 + (i % 10) * 1000 - Math.floor(i / 10) * 1e6, i % 3)),
    /pieces/,
  ],
])('%s: no proposal, with the reason', (_, readings, reason) => {
  const tuning = tune(readings);
  expect(tuning.reason).toMatch(reason);
  expect(tuning.settings).toEqual([]);
});

test('a quantised sensor whose noise is below its resolution says so', () => {
  const tuning = tune(
    Array.from({ length: 3000 }, (_, i) => reading(i * 1000, Math.round(20 + i / 100) / 1)),
  );
  expect(setting(tuning, 'kalman')).toHaveProperty('measurementVariance');
  expect(
    (setting(tuning, 'kalman') as { measurementVariance: number }).measurementVariance,
  ).toBeGreaterThanOrEqual(0.0833);
  expect(tuning.hints.join('\n')).toMatch(/below the resolution/);
});
