import { Matrix, solve } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../src/plant/random.ts';
import { RecursiveLeastSquares } from '../../../src/twin/process/recursiveLeastSquares.ts';

const TRUE = [1.5, -0.7, 0.2];
const RIDGE = 2;
const W = 4;
const LAMBDA = 0.97;

const data = (count: number, seed: number) => {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const s = [1, random.normal(), random.normal()];
    return { s, y: s.reduce((sum, each, i) => sum + each * TRUE[i]!, 0.5 * random.normal()) };
  });
};

test('is the batch solution with forgetting and ridge', () => {
  const squares = new RecursiveLeastSquares(3, { ridge: RIDGE, clip: 1e9 });
  const own = squares.initial();
  const all = data(200, 5);
  for (const { s, y } of all) squares.learn(own, s, y, W, LAMBDA);

  const weights = all.map((_, i) => W * LAMBDA ** (all.length - 1 - i));
  const s = new Matrix(all.map((each) => each.s));
  const weighted = new Matrix(all.map((each, i) => each.s.map((value) => value * weights[i]!)));
  const a = Matrix.eye(3).mul(RIDGE).add(s.transpose().mmul(weighted));
  const b = weighted.transpose().mmul(Matrix.columnVector(all.map(({ y }) => y)));
  const expected = solve(a, b).to1DArray();
  own.theta.forEach((theta, i) => expect(theta).toBeCloseTo(expected[i]!, 10));
  expect(Math.abs(own.theta[0]! - TRUE[0]!)).toBeLessThan(0.15);
});

describe('without excitation', () => {
  test('the covariance stays bounded and the coefficients return to zero: no wind-up', () => {
    const squares = new RecursiveLeastSquares(3, { ridge: RIDGE, clip: 3 });
    const own = squares.initial();
    for (const { s, y } of data(200, 6)) squares.learn(own, s, y, W, LAMBDA);
    for (let i = 0; i < 5000; i++) squares.learn(own, [0, 0, 0], 0, W, LAMBDA);
    for (let k = 0; k < 3; k++) {
      const unit = [0, 0, 0].map((_, i) => (i === k ? 1 : 0));
      expect(squares.spread(own, unit)).toBeCloseTo(1 / RIDGE, 9);
      expect(Math.abs(own.theta[k]!)).toBeLessThan(1e-9);
    }
    squares.learn(own, [1, 0, 0], 1, W, LAMBDA);
    expect(own.theta[0]).toBeGreaterThan(0.5);
    expect(own.theta[0]).toBeLessThan(1);
  });

  test('one direction alone leaves the others at zero', () => {
    const squares = new RecursiveLeastSquares(2, { ridge: RIDGE, clip: 3 });
    const own = squares.initial();
    for (let i = 0; i < 2000; i++) squares.learn(own, [1, 1], 1, W, LAMBDA);
    expect(own.theta[0]).toBeCloseTo(own.theta[1]!, 9);
    expect(own.theta[0]! + own.theta[1]!).toBeCloseTo(1, 1);
    expect(squares.spread(own, [1, -1])).toBeLessThanOrEqual(2 / RIDGE + 1e-9);
  });
});

test('an outlier is clipped', () => {
  const squares = new RecursiveLeastSquares(3, { ridge: RIDGE, clip: 3 });
  const own = squares.initial();
  for (const { s, y } of data(200, 7)) squares.learn(own, s, y, W, LAMBDA);
  const before = own.theta.slice();
  squares.learn(own, [1, 0, 0], 1e6, W, LAMBDA);
  own.theta.forEach((theta, i) => expect(Math.abs(theta - before[i]!)).toBeLessThan(0.1));
});

test('what is not finite is left out', () => {
  const squares = new RecursiveLeastSquares(2, { ridge: RIDGE, clip: 3 });
  const own = squares.initial();
  squares.learn(own, [1, 2], 1, W, LAMBDA);
  const before = structuredClone(own);
  squares.learn(own, [1, NaN], 1, W, LAMBDA);
  squares.learn(own, [1, 1], Infinity, W, LAMBDA);
  squares.learn(own, [1, 1], 1, Infinity, LAMBDA);
  squares.learn(own, [1e200, 1], 1, W, LAMBDA);
  expect(own).toEqual(before);
});
