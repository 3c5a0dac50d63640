import { Matrix, inverse } from 'ml-matrix';
import { expect, test } from 'vitest';
import { cholesky, contributionsOf, hotelling, submatrix } from '../../../operators/steps/anomalyScore.ts';

const correlation = [1, 0.6, -0.2, 0.6, 1, 0.1, -0.2, 0.1, 1];
const u = [2, -1, 0.5];

const quadratic = (values: readonly number[], matrix: readonly number[]): number => {
  const p = values.length;
  const column = Matrix.columnVector([...values]);
  const rows = Array.from({ length: p }, (_, i) => matrix.slice(i * p, (i + 1) * p));
  return column
    .transpose()
    .mmul(inverse(new Matrix(rows)))
    .mmul(column)
    .get(0, 0);
};

test('T² is that of the inverse matrix', () => {
  expect(hotelling(u, cholesky(correlation, 3))).toBeCloseTo(quadratic(u, correlation), 12);
  expect(hotelling([3], [1])).toBe(9);
  expect(hotelling([], [])).toBe(0);
});

test('a contribution is what T² falls by without the sensor', () => {
  const all = quadratic(u, correlation);
  const falls = u.map((_, left) => {
    const kept = [0, 1, 2].filter((i) => i !== left);
    return (
      all -
      quadratic(
        kept.map((i) => u[i] ?? 0),
        submatrix(correlation, 3, kept),
      )
    );
  });
  const total = falls.reduce((a, b) => a + b);
  contributionsOf(u, cholesky(correlation, 3)).forEach((share, i) =>
    expect(share).toBeCloseTo((falls[i] ?? 0) / total, 12),
  );
  expect(contributionsOf([0, 0, 0], cholesky(correlation, 3))).toEqual([0, 0, 0]);
});

test('correlations that do not fit together still give a finite score', () => {
  const impossible = [1, 0.9, -0.9, 0.9, 1, 0.9, -0.9, 0.9, 1];
  const score = hotelling([1, 1, -1], cholesky(impossible, 3));
  expect(Number.isFinite(score)).toBe(true);
  expect(score).toBeGreaterThan(0);
});
