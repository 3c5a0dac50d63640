import { expect, test } from 'vitest';
import { resolveAnomalyOptions } from '../../../operators/steps/anomalyOptions.ts';
import { options } from './anomalyInputs.ts';

test('defaults', () => {
  expect(resolveAnomalyOptions(options())).toMatchObject({
    intervalMs: 1000,
    learnCount: 400,
    smoothingMs: 10_000,
    baselineMs: 100_000,
    falseAlarmRate: 0.001,
    clearRatio: 0.5,
    maxDeviation: 4,
    staleAfterMs: 30_000,
    acceptAfterMs: 3_600_000,
    recordEveryMs: 60_000,
    baseline: null,
  });
});

test.each([
  [{ sensors: [] }, /sensors.length: 0/],
  [{ sensors: ['a', 'a'] }, /sensors: a, a/],
  [{ intervalMs: 0 }, /intervalMs: 0/],
  [{ learnCount: 19 }, /learnCount: 19/],
  [{ smoothingMs: NaN }, /smoothingMs: NaN/],
  [{ baselineMs: 10_000 }, /baselineMs: 10000 .*> 10000/],
  [{ falseAlarmRate: 0 }, /falseAlarmRate: 0/],
  [{ falseAlarmRate: 1 }, /falseAlarmRate: 1/],
  [{ clearRatio: 2 }, /clearRatio: 2/],
  [{ maxDeviation: 0 }, /maxDeviation: 0/],
  [{ staleAfterMs: -1 }, /staleAfterMs: -1/],
  [{ acceptAfterMs: 0 }, /acceptAfterMs: 0/],
  [{ recordEveryMs: -1 }, /recordEveryMs: -1/],
])('%o is refused', (overrides, message) => {
  expect(() => resolveAnomalyOptions(options(overrides))).toThrow(message);
});

test('a baseline of other sensors is refused', () => {
  const baseline = {
    sensors: ['level'],
    center: [0],
    scale: [1],
    inflation: [1],
    correlation: [1],
    effectiveCounts: [20],
    usualMs: [1000],
  };
  expect(() => resolveAnomalyOptions(options({ baseline }))).toThrow(/baseline: one of level is not valid/);
});
