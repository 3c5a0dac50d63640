import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  LARGEST_ROLLING_VALUE,
  clearRolling,
  fitRolling,
  pushRolling,
  rollingMean,
  rollingStats,
  rollingStdDev,
} from '../../../operators/steps/rollingStats.ts';
import type { RollingStats } from '../../../operators/steps/rollingStats.ts';

/** Neumaier's compensated sum. */
function compensatedSum(values: readonly number[]): number {
  let sum = 0;
  let lost = 0;
  for (const x of values) {
    const next = sum + x;
    lost += Math.abs(sum) >= Math.abs(x) ? sum - next + x : x - next + sum;
    sum = next;
  }
  return sum + lost;
}

/** Two passes, both compensated, with the first pass's rounding corrected in the second. */
function twoPass(values: readonly number[]): { mean: number; stdDev: number } {
  const n = values.length;
  const rough = compensatedSum(values) / n;
  const residuals = values.map((x) => x - rough);
  const correction = compensatedSum(residuals) / n;
  const m2 = compensatedSum(residuals.map((d) => d * d)) - n * correction * correction;
  return { mean: rough + correction, stdDev: Math.sqrt(Math.max(0, m2) / n) };
}

/** Uniform random numbers in [0, 1): mulberry32. */
function randomNumbers(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Squares below the smallest double are lost, so spreads under 1e-150 count as none. */
const UNDERFLOW = 1e-150;

function expectExact(stats: RollingStats, window: readonly number[], tolerance: number): void {
  const { mean, stdDev } = twoPass(window);
  const scale = Math.max(...window.map(Math.abs), Number.MIN_VALUE);
  expect(Math.abs(rollingMean(stats) - mean)).toBeLessThanOrEqual(
    scale * 1e-15 + stdDev * tolerance + UNDERFLOW,
  );
  expect(Math.abs(rollingStdDev(stats) - stdDev)).toBeLessThanOrEqual(
    stdDev * tolerance + scale * 3e-16 + UNDERFLOW,
  );
}

test('agrees with two compensated passes to 1e-6 relative after 10 million values near 1e9 with noise 1e-3', () => {
  const size = 100;
  const random = randomNumbers(42);
  const stats = rollingStats();
  const window = (): number[] => [...stats.ring];
  let worstMean = 0;
  let worstStdDev = 0;
  for (let i = 1; i <= 10_000_000; i += 1) {
    const noise = (random() + random() + random() + random() - 2) * Math.sqrt(3) * 1e-3;
    pushRolling(stats, 1e9 + noise, size);
    if (i % 9973 === 0 || i === 10_000_000) {
      const { mean, stdDev } = twoPass(window());
      // Relative to the noise, which is far stricter than relative to 1e9.
      worstMean = Math.max(worstMean, Math.abs(rollingMean(stats) - mean) / mean);
      worstStdDev = Math.max(worstStdDev, Math.abs(rollingStdDev(stats) - stdDev) / stdDev);
    }
  }
  expect(rollingStdDev(stats)).toBeGreaterThan(0.8e-3);
  expect(rollingStdDev(stats)).toBeLessThan(1.2e-3);
  expect(worstMean).toBeLessThan(1e-15);
  expect(worstStdDev).toBeLessThan(1e-6);
});

describe('rolling statistics', () => {
  test.each([
    [[5], 5, 0],
    [[1, 3], 2, 1],
    [[2, 4, 4, 4, 5, 5, 7, 9], 5, 2],
    [[1e9 + 0.1, 1e9 + 0.1, 1e9 + 0.1], 1e9 + 0.1, 0],
    [[-0, -0], 0, 0],
  ])('%j: mean %d, standard deviation %d', (values, mean, stdDev) => {
    const stats = rollingStats();
    values.forEach((value) => pushRolling(stats, value, 10));
    expect(rollingMean(stats)).toBe(mean);
    expect(rollingStdDev(stats)).toBe(stdDev);
  });

  test('are NaN while empty', () => {
    const stats = rollingStats();
    expect([rollingMean(stats), rollingStdDev(stats)]).toEqual([NaN, NaN]);
    pushRolling(stats, 7, 3);
    clearRolling(stats);
    expect(stats).toEqual(rollingStats());
  });

  test('forget the oldest value of a full window', () => {
    const stats = rollingStats();
    [100, 1, 2, 3].forEach((value) => pushRolling(stats, value, 3));
    expect(rollingMean(stats)).toBe(2);
    expect(rollingStdDev(stats)).toBeCloseTo(Math.sqrt(2 / 3), 11);
  });

  test('keep their digits when a huge value leaves, and when the level changes', () => {
    const stats = rollingStats();
    const seen: number[] = [];
    const random = randomNumbers(7);
    const push = (value: number): void => {
      pushRolling(stats, value, 50);
      seen.push(value);
      expectExact(stats, seen.slice(-50), 1e-9);
    };
    for (let i = 0; i < 120; i += 1) push(random());
    push(1e15);
    for (let i = 0; i < 120; i += 1) push(random());
    for (let i = 0; i < 120; i += 1) push(1e9 + random() * 1e-3);
    for (let i = 0; i < 120; i += 1) push(1e9);
    expect(rollingStdDev(stats)).toBe(0);
    push(LARGEST_ROLLING_VALUE);
    for (let i = 0; i < 50; i += 1) push(i);
  });

  test('agree with two passes over any values, at every step', () => {
    const value = fc.oneof(
      fc.double({ min: -1e3, max: 1e3, noNaN: true }),
      fc.double({ min: 1e9, max: 1e9 + 1, noNaN: true }),
      fc.constantFrom(0, -0, 85, 1e12),
    );
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 80 }),
        fc.integer({ min: 1, max: 12 }),
        (values, size) => {
          const stats = rollingStats();
          values.forEach((x, i) => {
            pushRolling(stats, x, size);
            expectExact(stats, values.slice(Math.max(0, i + 1 - size), i + 1), 1e-9);
          });
          expect(JSON.parse(JSON.stringify(stats))).toStrictEqual(stats);
        },
      ),
    );
  });

  test('fit another window size and keep the newest values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        (values, size, otherSize) => {
          const stats = rollingStats();
          values.forEach((x) => pushRolling(stats, x, size));
          fitRolling(stats, otherSize);
          const more = [7, 8, 9];
          more.forEach((x) => pushRolling(stats, x, otherSize));
          const window = [...values.slice(-size), ...more].slice(-otherSize);
          expect([...stats.ring].sort()).toEqual([...window].sort());
          expectExact(stats, window, 1e-9);
          pushRolling(stats, 10, otherSize);
          expectExact(stats, [...window, 10].slice(-otherSize), 1e-9);
        },
      ),
    );
  });
});
