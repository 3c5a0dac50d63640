import { expect, test } from 'vitest';
import { learnAnomalyBaseline } from '../../../operators/steps/anomalyBaseline.ts';
import { resolveAnomalyOptions } from '../../../operators/steps/anomalyOptions.ts';
import { createRandom } from '../../../src/plant/random.ts';

const resolved = resolveAnomalyOptions({ asset: 'R101', sensors: ['a', 'b', 'c'], baselineMs: null });

test('centre, scale, correlation and independent values of what it learned from', () => {
  const random = createRandom(1);
  const rows = Array.from({ length: 20_000 }, (_, i) => {
    const common = random.normal();
    return {
      at: i * 1000,
      values: [10 + 2 * common, -3 + 0.5 * (0.8 * common + 0.6 * random.normal()), 7],
    };
  });
  const { baseline, track } = learnAnomalyBaseline(rows, resolved);
  expect(baseline.center[0]).toBeCloseTo(10, 1);
  expect(baseline.scale[0]).toBeCloseTo(2, 1);
  expect(baseline.center[1]).toBeCloseTo(-3, 1);
  expect(baseline.scale[1]).toBeCloseTo(0.5, 1);
  expect(baseline.scale[2]).toBe(0);
  expect(baseline.inflation[0]).toBeCloseTo(1, 0);
  expect(baseline.correlation[1]).toBeCloseTo(0.8, 1);
  // (2 - a) / a values in a row count as one, a = 1 - exp(-1 s / 10 s).
  expect(baseline.effectiveCount).toBeCloseTo((20_000 * 0.09516) / 1.90484, 0);
  expect(track.seenAt).toEqual([19_999_000, 19_999_000, null]);
});

test('values that follow each other inflate the variance of their mean', () => {
  const random = createRandom(2);
  let level = 0;
  const rows = Array.from({ length: 20_000 }, (_, i) => {
    level = 0.9 * level + Math.sqrt(1 - 0.81) * random.normal();
    return { at: i * 1000, values: [level, random.normal(), null] };
  });
  const { inflation, scale } = learnAnomalyBaseline(rows, resolved).baseline;
  // An AR(1) with 0.9 through weights of 0.095: variance (1 + r f) / (1 - r f) times, f = exp(-0.1).
  const rf = 0.9 * Math.exp(-0.1);
  expect(inflation[0]).toBeGreaterThan((0.85 * (1 + rf)) / (1 - rf));
  expect(inflation[0]).toBeLessThan((1.15 * (1 + rf)) / (1 - rf));
  expect(inflation[1]).toBeLessThan(1.2);
  expect(scale[2]).toBe(0);
});
