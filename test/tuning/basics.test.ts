import { describe, expect, test } from 'vitest';
import { createRandom } from '../../src/plant/random.ts';
import { BLOCK_SIZE, BlockSample } from '../../src/tuning/blocks.ts';
import { Intervals } from '../../src/tuning/intervals.ts';
import { minimise } from '../../src/tuning/minimise.ts';
import { noiseStdDev, shiftsOf, smoothNoiseStdDev, spikesOf } from '../../src/tuning/noise.ts';
import { resolutionOf } from '../../src/tuning/resolution.ts';
import { median, quantile, robustRms } from '../../src/tuning/robust.ts';
import { rounded, roundedUp } from '../../src/tuning/round.ts';
import { countOf, splitRuns, thinRuns } from '../../src/tuning/runs.ts';
import type { Run } from '../../src/tuning/runs.ts';
import { PROFILES, simulate } from './recordings.ts';

const runOf = (values: readonly number[]): Run => ({
  times: Float64Array.from(values, (_, i) => i * 1000),
  values: Float64Array.from(values),
});

describe('robust figures', () => {
  test('quantiles lie between neighbours', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(quantile([0, 10], 0.25)).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  test('a tenth of wild values leaves the root mean square where it is', () => {
    const random = createRandom(1);
    const values = Array.from({ length: 5000 }, (_, i) => (i % 10 === 0 ? 1e6 : 2 * random.normal()));
    expect(Math.abs(robustRms(values) / 2 - 1)).toBeLessThan(0.06);
  });
});

test('limits are rounded up, figures to three digits', () => {
  expect([0.0101, 0.99, 1, 2.1, 4.2e7].map(roundedUp)).toEqual([0.015, 1, 1, 3, 5e7]);
  expect(rounded(0.123456)).toBe(0.123);
});

describe('runs', () => {
  test('are split by count, within a run too', () => {
    const runs = [runOf([1, 2, 3]), runOf([4, 5, 6, 7])];
    const [before, after] = splitRuns(runs, 5);
    expect(before.map(({ values }) => [...values])).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    expect(after.map(({ values }) => [...values])).toEqual([[6, 7]]);
  });

  test('are thinned to contiguous pieces from all over', () => {
    const run = runOf(Array.from({ length: 100_000 }, (_, i) => i));
    const thin = thinRuns([run], 10_000, 1000);
    expect(Math.abs(countOf(thin) / 10_000 - 1)).toBeLessThan(0.1);
    expect(thin.every(({ values }) => (values.at(-1) ?? 0) - (values[0] ?? 0) === values.length - 1)).toBe(
      true,
    );
    expect(thin[0]?.values[0]).toBeLessThan(20_000);
    expect(thin.at(-1)?.values[0]).toBeGreaterThan(80_000);
  });
});

describe('a sample of blocks', () => {
  test('holds a short recording whole, and cuts it where it breaks', () => {
    const sample = new BlockSample();
    for (let i = 0; i < 3000; i++) sample.push(i, i, 8);
    sample.cut(8);
    for (let i = 0; i < 500; i++) sample.push(i, -i, 8);
    expect(sample.runs(8).map(({ times }) => times.length)).toEqual([3000, 500]);
  });

  test('of a long recording holds no more blocks than there is room for, evenly', () => {
    const sample = new BlockSample();
    const count = 1000 * BLOCK_SIZE;
    for (let i = 0; i < count; i++) sample.push(i, i, 8);
    const runs = sample.runs(8);
    expect(runs.length).toBeLessThanOrEqual(8);
    expect(runs.length).toBeGreaterThanOrEqual(4);
    const starts = runs.map(({ values }) => values[0] ?? NaN);
    const steps = starts.slice(1).map((start, i) => start - (starts[i] ?? NaN));
    expect(new Set(steps).size).toBe(1);
    expect(runs.every(({ values }) => values.length === BLOCK_SIZE)).toBe(true);
  });
});

test('quantiles of intervals are exact where they are regular, within 1.1 % elsewhere', () => {
  const intervals = new Intervals();
  for (let i = 0; i < 1000; i++) intervals.add(1000);
  intervals.add(45_000);
  expect(intervals.quantile(0.5)).toBe(1000);
  expect(intervals.countOver(1500)).toBe(1);
  expect(intervals.longestMs).toBe(45_000);
  const random = createRandom(2);
  const spread = new Intervals();
  const all = Array.from({ length: 5000 }, () => Math.exp(random.normal()) * 100);
  for (const each of all) spread.add(each);
  for (const p of [0.05, 0.5, 0.95])
    expect(Math.abs(spread.quantile(p) / quantile(all, p) - 1)).toBeLessThan(0.02);
});

describe('resolution', () => {
  test.each([0.5, 0.1, 0.001, 25])('a step of %d is found', (step) => {
    const { run } = simulate(PROFILES.sine, { seed: 3, hz: 1, stdDev: step < 1 ? 0.5 : 60 });
    const values = run.values.map((each) => Math.round(each / step) * step);
    expect((resolutionOf([{ ...run, values }]) ?? 0) / step).toBeCloseTo(1, 5);
  });

  test('none where values are as they come', () => {
    expect(resolutionOf([simulate(PROFILES.sine, { seed: 3, hz: 1 }).run])).toBeNull();
  });

  test.each([1e-4, 3e-4, 1e-3, 3e-3])('none on a steady ramp with noise of %d', (stdDev) => {
    const ramp = simulate((_, seconds) => seconds / 30, { seed: 6, hz: 1, count: 2000, stdDev });
    expect(resolutionOf([ramp.run])).toBeNull();
    // Where readings are missing there are changes of two and three times the usual one.
    const values = ramp.run.values.filter((_, i) => i % 7 > 0 && i % 11 > 0);
    expect(resolutionOf([runOf([...values])])).toBeNull();
  });

  test('a step that a ramp, or a slow level, comes in is found', () => {
    const ramp = Array.from({ length: 2000 }, (_, i) => Math.round((i / 30) * 100) / 100);
    expect(resolutionOf([runOf(ramp)])).toBe(0.01);
    const level = Array.from({ length: 2000 }, (_, i) => 20 + 0.5 * (Math.floor(i / 100) % 2));
    expect(resolutionOf([runOf(level)])).toBe(0.5);
    const single = Array.from({ length: 2000 }, (_, i) =>
      Math.fround(Math.round(8500 + 50 * Math.sin(i)) / 100),
    );
    expect((resolutionOf([runOf(single)]) ?? 0) / 0.01).toBeCloseTo(1, 4);
  });
});

describe('noise by differences', () => {
  test('knows of no slope, spikes, gaps or uneven spacing', () => {
    const random = createRandom(4);
    let time = 0;
    const times = Float64Array.from(
      { length: 5000 },
      (_, i) => (time += (i % 1000 === 0 ? 60_000 : 500) + 1000 * random.uniform()),
    );
    const values = times.map((t, i) => 85 + t / 10_000 + 0.5 * random.normal() + (i % 100 === 50 ? 40 : 0));
    expect(Math.abs(noiseStdDev([{ times, values }]) / 0.5 - 1)).toBeLessThan(0.06);
  });
});

test('noise by higher differences knows of no curvature', () => {
  const { run } = simulate(PROFILES.sine, { seed: 7, hz: 1, stdDev: 0.001 });
  expect(noiseStdDev([run])).toBeGreaterThan(0.005);
  expect(Math.abs(smoothNoiseStdDev([run]) / 0.001 - 1)).toBeLessThan(0.06);
  const kept = run.times.map((_, i) => i).filter((i) => i % 7 > 0);
  const times = kept.map((i) => run.times[i] ?? 0);
  const values = kept.map((i) => run.values[i] ?? 0);
  expect(Math.abs(smoothNoiseStdDev([{ times, values }]) / 0.001 - 1)).toBeLessThan(0.1);
});

describe('spikes and steps', () => {
  const { run } = simulate(PROFILES.step, { seed: 5, hz: 1 });
  const values = run.values.slice();
  for (const i of [700, 701, 2000]) values[i] = (values[i] ?? 0) + 30;

  test('spikes are those readings, and no step is one', () => {
    expect([...spikesOf({ ...run, values }, 0.5)]).toEqual([700, 701, 2000]);
  });

  test('a step is where it is, and no spike and no ramp is one', () => {
    expect([...shiftsOf({ ...run, values }, 0.5)]).toEqual(expect.arrayContaining([1200, 1204]));
    expect(shiftsOf({ ...run, values }, 0.5).size).toBeLessThan(8);
    const steep = runOf(Array.from({ length: 200 }, (_, i) => 3 * i));
    expect(shiftsOf(steep, 0.5).size).toBe(0);
  });
});

test('minimise finds the bottom of a curved valley', () => {
  const valley = ([x = 0, y = 0]: readonly number[]): number => (1 - x) ** 2 + 100 * (y - x * x) ** 2;
  const { at, value } = minimise(valley, [-1.2, 1], { size: 0.5, tolerance: 1e-6, count: 400 });
  expect(at[0]).toBeCloseTo(1, 3);
  expect(at[1]).toBeCloseTo(1, 3);
  expect(value).toBeLessThan(1e-6);
});
