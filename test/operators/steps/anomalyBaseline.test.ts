import { expect, test } from 'vitest';
import { independentOf, learnAnomalyBaseline } from '../../../operators/steps/anomalyBaseline.ts';
import { resolveAnomalyOptions } from '../../../operators/steps/anomalyOptions.ts';
import { createRandom } from '../../../src/plant/random.ts';

const resolved = resolveAnomalyOptions({ asset: 'R101', sensors: ['a', 'b', 'c'], baselineMs: null });

const timed = (second: number) => {
  const at = second * 1000;
  return { at, clock: at, times: [at, at, at] };
};

test('centre, scale, correlation and independent values of what it learned from', () => {
  const random = createRandom(1);
  const rows = Array.from({ length: 20_000 }, (_, i) => {
    const common = random.normal();
    return {
      ...timed(i),
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
  expect((baseline.effectiveCounts[0] ?? 0) / ((20_000 * 0.09516) / 1.90484)).toBeCloseTo(1, 0);
  expect(baseline.effectiveCounts[2]).toBe(0);
  expect(baseline.usualMs).toEqual([1000, 1000, 1000]);
  expect(track.seenAt).toEqual([19_999_000, 19_999_000, null]);
});

test('values that follow each other inflate the variance of their mean', () => {
  const random = createRandom(2);
  let level = 0;
  const rows = Array.from({ length: 20_000 }, (_, i) => {
    level = 0.9 * level + Math.sqrt(1 - 0.81) * random.normal();
    return { ...timed(i), values: [level, random.normal(), null] };
  });
  const { inflation, scale } = learnAnomalyBaseline(rows, resolved).baseline;
  // An AR(1) with 0.9 through weights of 0.095: variance (1 + r f) / (1 - r f) times, f = exp(-0.1).
  const rf = 0.9 * Math.exp(-0.1);
  expect(inflation[0]).toBeGreaterThan((0.85 * (1 + rf)) / (1 - rf));
  expect(inflation[0]).toBeLessThan((1.15 * (1 + rf)) / (1 - rf));
  expect(inflation[1]).toBeLessThan(1.2);
  expect(scale[2]).toBe(0);
});

test('values that follow each other count for fewer, and none for none', () => {
  const random = createRandom(3);
  let level = 0;
  const series = (phi: number) =>
    Float64Array.from({ length: 20_000 }, () => (level = phi * level + random.normal()));
  expect(independentOf(series(0))).toBeGreaterThan(0.9 * 20_000);
  // (1 - r) / (1 + r) of them, but for the tail of the correlation that is taken for noise.
  expect(independentOf(series(0.9)) / (20_000 / 19)).toBeGreaterThan(0.9);
  expect(independentOf(series(0.9)) / (20_000 / 19)).toBeLessThan(1.35);
  const half = series(0.9).map((value, i) => (i % 4 < 2 ? value : NaN));
  expect(independentOf(half) / (10_000 / 19)).toBeLessThan(1.35);
  expect(independentOf(new Float64Array(100).fill(NaN))).toBe(0);
  expect(independentOf(new Float64Array(100).fill(1))).toBeLessThan(3);
});
