import { describe, expect, it } from 'vitest';
import { readings } from '../../../marble-tests/readings.ts';
import {
  resolveSmoothOptions,
  smoothFlush,
  smoothState,
  smoothStep,
} from '../../../operators/steps/smooth.ts';
import type { SmoothedReading, SmoothOptions } from '../../../operators/steps/smooth.ts';

const WHITE: SmoothOptions = {
  mode: 'whiteAcceleration',
  measurementVariance: 0.25,
  noiseCount: null,
  lagMs: 1e6,
};

function run(
  values: readonly (number | null)[],
  options: SmoothOptions = {},
  everyMs = 1000,
): SmoothedReading[] {
  const state = smoothState();
  const resolved = resolveSmoothOptions({ measurementVariance: 0.25, ...options });
  const results: SmoothedReading[] = [];
  const emit = (result: SmoothedReading): number => results.push(result);
  for (const each of readings(values, everyMs)) smoothStep(state, each, resolved, emit);
  smoothFlush(state, emit);
  return results;
}

const wobbling = (level: (i: number) => number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => level(i) + 0.4 * Math.sin(i * 2.4));

/** Diagonal and right side of the normal equations, solved by Gaussian elimination. */
function solve(matrix: number[][], right: number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i] ?? NaN]);
  const at = (i: number, j: number): number => rows[i]?.[j] ?? NaN;
  for (let i = 0; i < rows.length; i++) {
    for (let k = 0; k < rows.length; k++) {
      if (k === i) continue;
      const factor = at(k, i) / at(i, i);
      rows[k] = (rows[k] ?? []).map((figure, j) => figure - factor * at(i, j));
    }
  }
  return rows.map((_, i) => at(i, rows.length) / at(i, i));
}

describe('smoothStep', () => {
  it('gives the values that explain all readings best, with one model over the whole stretch', () => {
    // Weighted least squares over all values and rates: measurements, the first rate, and the steps between.
    const z = [85, 85.6, 84.9, 86.1, 86.4, 87.2];
    const [r, q, rate] = [0.25, 0.008 * 0.25, 0.5 * 0.25];
    const size = 2 * z.length;
    const A = Array.from({ length: size }, () => Array.from({ length: size }, () => 0));
    const b = Array.from({ length: size }, () => 0);
    const add = (terms: readonly (readonly [number, number])[], target: number, weight: number): void => {
      for (const [i, u] of terms) {
        b[i] = (b[i] ?? 0) + weight * u * target;
        for (const [j, v] of terms) {
          const row = A[i];
          if (row !== undefined) row[j] = (row[j] ?? 0) + weight * u * v;
        }
      }
    };
    z.forEach((value, i) => add([[2 * i, 1]], value, 1 / r));
    add([[1, 1]], 0, 1 / rate);
    for (let i = 1; i < z.length; i++) {
      // Of the noise over one second, value minus half the rate has variance q/12 and is independent of the rate's q.
      add(
        [
          [2 * i, 1],
          [2 * i - 2, -1],
          [2 * i + 1, -0.5],
          [2 * i - 1, -0.5],
        ],
        0,
        12 / q,
      );
      add(
        [
          [2 * i + 1, 1],
          [2 * i - 1, -1],
        ],
        0,
        1 / q,
      );
    }
    const expected = solve(A, b);
    run(z, WHITE).forEach(({ smoothed }, i) => {
      expect(smoothed.value).toBeCloseTo(expected[2 * i] ?? NaN, 6);
      expect(smoothed.ratePerS).toBeCloseTo(expected[2 * i + 1] ?? NaN, 6);
    });
  });

  it('keeps a step sharp, and is surer than the filter', () => {
    const results = run(
      wobbling((i) => (i < 60 ? 85 : 95), 120),
      { lagMs: 10_000 },
    );
    expect(results.map(({ smoothed }) => smoothed.lagMs).slice(0, 110)).toEqual(Array(110).fill(10_000));
    results.forEach(({ smoothed }, i) => {
      expect(Math.abs(smoothed.value - (i < 60 ? 85 : 95))).toBeLessThan(0.45);
    });
    expect((results[100]?.smoothed.stdDev ?? NaN) / (results[119]?.smoothed.stdDev ?? NaN)).toBeLessThan(0.8);
  });

  it('does not take a spike for a level, also where the value is missing in between', () => {
    const values: (number | null)[] = wobbling(() => 85, 80);
    values.splice(40, 3, 120, null, 121);
    for (const { smoothed } of run(values, { lagMs: 10_000, confirmCount: 3 })) {
      expect(Math.abs(smoothed.value - 85)).toBeLessThan(0.5);
    }
  });

  it('bridges a gap from both sides', () => {
    const values: (number | null)[] = wobbling((i) => 85 + 0.2 * i, 80);
    values.fill(null, 30, 50);
    const results = run(values, { lagMs: 30_000 });
    expect(results[40]?.smoothed.value).toBeCloseTo(93, 0);
  });

  it('holds no more than maxReadings', () => {
    const results = run(
      wobbling(() => 85, 50),
      { lagMs: 1e9, maxReadings: 10 },
    );
    expect(results.length).toBe(50);
    expect(results[0]?.smoothed.lagMs).toBe(10_000);
  });
});

it.each([
  [{ lagMs: 0 }, 'lagMs: 0 is not valid, expected a number > 0'],
  [{ everyMs: -1 }, 'everyMs: -1 is not valid, expected a number >= 0'],
  [{ maxReadings: 1 }, 'maxReadings: 1 is not valid, expected a whole number >= 2'],
  [{ measurementVariance: 0 }, 'measurementVariance: 0 is not valid, expected a number > 0'],
])('refuses %j', (options, message) => {
  expect(() => resolveSmoothOptions(options)).toThrow(new RangeError(message));
});
