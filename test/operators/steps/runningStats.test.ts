import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addEarlierValue,
  addValue,
  appendStats,
  meanOf,
  runningStats,
  stdDevOf,
  timeWeightedMeanOf,
} from '../../../operators/steps/runningStats.ts';
import type { RunningStats } from '../../../operators/steps/runningStats.ts';

function statsOf(values: readonly number[], everyMs = 1000, startMs = 0): RunningStats {
  const stats = runningStats();
  values.forEach((value, i) => addValue(stats, startMs + i * everyMs, value));
  return stats;
}

/** Neumaier's compensated sum. */
function sum(length: number, term: (i: number) => number): number {
  let total = 0;
  let lost = 0;
  for (let i = 0; i < length; i += 1) {
    const x = term(i);
    const next = total + x;
    lost += Math.abs(total) >= Math.abs(x) ? total - next + x : x - next + total;
    total = next;
  }
  return total + lost;
}

function twoPass(values: ArrayLike<number>): { mean: number; stdDev: number } {
  const n = values.length;
  const base = values[0] ?? 0;
  const shifted = sum(n, (i) => (values[i] ?? 0) - base) / n;
  const squares = sum(n, (i) => ((values[i] ?? 0) - base - shifted) ** 2);
  return { mean: base + shifted, stdDev: Math.sqrt(squares / (n - 1)) };
}

/** Uniform in [0, 1), repeatable. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const relativeError = (actual: number | null, expected: number): number =>
  actual === null ? Infinity : Math.abs(actual - expected) / Math.abs(expected);

test('the statistics of 2, 4, 4, 4, 5, 5, 7, 9', () => {
  const stats = statsOf([2, 4, 4, 4, 5, 5, 7, 9]);
  expect(meanOf(stats)).toBe(5);
  expect(stdDevOf(stats)).toBeCloseTo(Math.sqrt(32 / 7), 12);
  expect(stats).toMatchObject({ count: 8, min: 2, max: 9, first: 2, last: 9, firstTime: 0, lastTime: 7000 });
});

test('no value has no statistics, one value no standard deviation', () => {
  expect(meanOf(runningStats())).toBeNull();
  expect(stdDevOf(runningStats())).toBeNull();
  expect(timeWeightedMeanOf(runningStats(), null, 0, 10)).toBeNull();
  expect(timeWeightedMeanOf(runningStats(), 7, 0, 10)).toBe(7);
  expect(meanOf(statsOf([3]))).toBe(3);
  expect(stdDevOf(statsOf([3]))).toBeNull();
});

test('values around 1e9 with noise of 1e-3 keep six digits after ten million readings', () => {
  const next = random(42);
  const values = new Float64Array(10_000_000);
  const stats = runningStats();
  for (let i = 0; i < values.length; i += 1) {
    // The sum of four uniforms, scaled to a standard deviation of 1e-3.
    values[i] = 1e9 + (next() + next() + next() + next() - 2) * 1e-3 * Math.sqrt(3);
    addValue(stats, i, values[i] ?? 0);
  }
  const expected = twoPass(values);
  expect(expected.stdDev).toBeCloseTo(1e-3, 5);
  expect(relativeError(stdDevOf(stats), expected.stdDev)).toBeLessThan(1e-6);
  // Relative to the noise, not only to the value.
  expect(Math.abs((meanOf(stats) ?? NaN) - expected.mean)).toBeLessThan(2e-7);
});

describe('time-weighted mean', () => {
  test('holds each value until the next, and the last until the end', () => {
    const stats = runningStats();
    addValue(stats, 2, 10);
    addValue(stats, 4, 20);
    // 10 for 2 ms, 20 for 6 ms; without a value before nothing is in force on [0, 2).
    expect(timeWeightedMeanOf(stats, null, 0, 10)).toBeCloseTo((10 * 2 + 20 * 6) / 8, 12);
    // 5 for 2 ms, 10 for 2 ms, 20 for 6 ms.
    expect(timeWeightedMeanOf(stats, 5, 0, 10)).toBeCloseTo((5 * 2 + 10 * 2 + 20 * 6) / 10, 12);
  });

  test('readings at the same time: the last of them is in force', () => {
    const stats = runningStats();
    addValue(stats, 0, 10);
    addValue(stats, 0, 30);
    addValue(stats, 5, 10);
    expect(timeWeightedMeanOf(stats, null, 0, 10)).toBe(20);
  });

  test('a value older than all others is held until the first of them', () => {
    const stats = runningStats();
    addValue(stats, 4, 20);
    addValue(stats, 6, 30);
    addEarlierValue(stats, 2, 10);
    expect(timeWeightedMeanOf(stats, null, 0, 10)).toBeCloseTo((10 * 2 + 20 * 2 + 30 * 4) / 8, 12);
    expect(stats).toMatchObject({ count: 3, first: 10, last: 30, firstTime: 2, lastTime: 6 });
  });
});

describe('very large values', () => {
  test('the largest numbers have a mean', () => {
    expect(meanOf(statsOf([1e308, 1e308, 1e308]))).toBe(1e308);
    expect(stdDevOf(statsOf([1e308, 1e308]))).toBe(0);
    expect(meanOf(statsOf([1e308, -1e308]))).toBe(0);
    expect(timeWeightedMeanOf(statsOf([1e308, -1e308]), -1e308, 0, 4000)).toBeCloseTo(-0.5e308, -300);
  });

  test('a standard deviation beyond the largest number is null', () => {
    const max = Number.MAX_VALUE;
    expect(stdDevOf(statsOf([max, -max]))).toBeNull();
    expect(meanOf(statsOf([max, -max]))).toBe(0);
    expect(stdDevOf(statsOf([1e308, -1e308, 1e308, -1e308]))).toBeCloseTo(1e308 * Math.sqrt(4 / 3), -300);
  });

  test('come after ordinary ones, and keep what was there', () => {
    const stats = statsOf([9e139, -9e139, 1.1e140]);
    const expected = Math.sqrt([9, -9, 11].map((x) => (x - 11 / 3) ** 2).reduce((a, b) => a + b) / 2);
    expect(relativeError(stdDevOf(stats), expected * 1e139)).toBeLessThan(1e-12);
    expect(relativeError(meanOf(stats), (11e139 + 0) / 3)).toBeLessThan(1e-12);
  });

  test('whatever the values, nothing is NaN or infinite', () => {
    const extreme = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(extreme, { minLength: 1 }), fc.array(extreme), extreme, (left, right, carry) => {
        const stats = statsOf(left);
        appendStats(stats, statsOf(right, 1000, left.length * 1000));
        const end = (left.length + right.length) * 1000;
        const mean = meanOf(stats);
        expect(mean).toBeGreaterThanOrEqual(Math.min(...left, ...right));
        expect(mean).toBeLessThanOrEqual(Math.max(...left, ...right));
        expect(timeWeightedMeanOf(stats, carry, -5, end)).toSatisfy(Number.isFinite);
        expect([null, 0, stdDevOf(stats)]).toContain(stdDevOf(stats));
        expect(stdDevOf(stats) ?? 0).toSatisfy(Number.isFinite);
        for (const [key, value] of Object.entries(stats)) {
          expect(value, key).toSatisfy((x) => typeof x === 'boolean' || Number.isFinite(x));
        }
      }),
    );
  });
});

test('agrees with two passes, in one go and joined from two parts', () => {
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  const values = fc.array(value, { minLength: 2, maxLength: 50 });
  fc.assert(
    fc.property(values, fc.nat(), fc.double({ min: -1e9, max: 1e9, noNaN: true }), (noise, at, level) => {
      const all = noise.map((x) => x + level);
      const cut = at % (all.length + 1);
      const whole = statsOf(all, 700);
      const joined = statsOf(all.slice(0, cut), 700);
      appendStats(joined, statsOf(all.slice(cut), 700, cut * 700));
      const expected = twoPass(all);
      const held = sum(all.length, (i) => (all[i] ?? 0) / all.length);
      for (const stats of [whole, joined]) {
        expect(Math.abs((meanOf(stats) ?? NaN) - expected.mean)).toBeLessThanOrEqual(1e-6);
        expect(Math.abs((stdDevOf(stats) ?? NaN) - expected.stdDev)).toBeLessThanOrEqual(
          1e-6 + 1e-9 * expected.stdDev,
        );
        // Evenly spaced values weigh the same.
        const weighted = timeWeightedMeanOf(stats, null, 0, all.length * 700);
        expect(Math.abs((weighted ?? NaN) - held)).toBeLessThanOrEqual(1e-5);
        expect(stats).toMatchObject({ count: all.length, min: Math.min(...all), max: Math.max(...all) });
      }
    }),
  );
});
