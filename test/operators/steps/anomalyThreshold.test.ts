import { describe, expect, test } from 'vitest';
import { cholesky, hotelling } from '../../../operators/steps/anomalyScore.ts';
import { fQuantile, hotellingLimit, incompleteBeta } from '../../../operators/steps/anomalyThreshold.ts';
import { createRandom } from '../../../src/plant/random.ts';

test.each([
  [2, 3, 0.5, 0.6875],
  [0.5, 0.5, 0.5, 0.5],
  [1, 1, 0.25, 0.25],
  [5, 1, 0.9, 0.9 ** 5],
  [1, 7, 0.3, 1 - 0.7 ** 7],
  [3, 2, 0, 0],
  [3, 2, 1, 1],
])('incomplete beta(%d, %d) at %d is %d', (a, b, x, expected) => {
  expect(incompleteBeta(a, b, x)).toBeCloseTo(expected, 12);
});

// Tabulated: F and chi-square distribution, upper tails.
test.each([
  [0.05, 5, 10, 3.3258],
  [0.01, 3, 20, 4.9382],
  [0.05, 1, 19, 4.3807],
  [0.001, 4, 16, 7.9442],
  [0.01, 1, 1e7, 6.6349],
  [0.001, 4, 1e7, 18.4668 / 4],
])('F exceeded with probability %d, %d and %d degrees of freedom: %d', (tail, d1, d2, expected) => {
  expect(fQuantile(tail, d1, d2)).toBeCloseTo(expected, 3);
});

describe('the limit of T²', () => {
  test.each([
    [1, 0],
    [4, 0],
    [4, 0.8],
    [16, 0],
    [16, 0.8],
  ])('is exceeded no more often than stated, by %d sensors with correlation %d', (count, r) => {
    const n = 20;
    const stated = 0.01;
    const random = createRandom(count + 10 * r);
    const draw = (): number[] => {
      const common = Math.sqrt(r) * random.normal();
      return Array.from({ length: count }, () => common + Math.sqrt(1 - r) * random.normal());
    };
    const limit = hotellingLimit(count, n, stated);
    let over = 0;
    for (let learned = 0; learned < 200; learned++) {
      const samples = Array.from({ length: n }, draw);
      const product = (i: number, j: number): number =>
        samples.reduce((sum, sample) => sum + ((sample[i] ?? 0) * (sample[j] ?? 0)) / n, 0);
      const scale = Array.from({ length: count }, (_, i) => Math.sqrt(product(i, i)));
      const correlation = scale.flatMap((a, i) =>
        scale.map((b, j) => (i === j ? 1 : ((n / (n + count)) * product(i, j)) / (a * b))),
      );
      const lower = cholesky(correlation, count);
      for (let k = 0; k < 100; k++) {
        const u = draw().map((value, i) => value / (scale[i] ?? 1));
        if (hotelling(u, lower) > limit) over += 1;
      }
    }
    expect(over / 20_000).toBeLessThan(1.3 * stated);
    if (r === 0) expect(over / 20_000).toBeGreaterThan(0.5 * stated);
  });

  test('comes near chi-square with many values, and grows with sensors and with rarer false alarms', () => {
    expect(hotellingLimit(4, 1e6, 0.001)).toBeCloseTo(18.467, 2);
    expect(hotellingLimit(5, 40, 0.001)).toBeGreaterThan(hotellingLimit(4, 40, 0.001));
    expect(hotellingLimit(4, 40, 0.0001)).toBeGreaterThan(hotellingLimit(4, 40, 0.001));
  });

  test('stays finite where there are fewer values than sensors, and at the ends of what may be stated', () => {
    expect(hotellingLimit(64, 3, 0.001)).toBeLessThan(1000);
    expect(hotellingLimit(64, 3, 1e-9)).toBeGreaterThan(hotellingLimit(64, 3, 1e-8));
    expect(Number.isFinite(hotellingLimit(1, 1e5, 1e-9))).toBe(true);
    expect(hotellingLimit(1, 20, 0.5)).toBeGreaterThan(0);
  });
});
