import fc from 'fast-check';
import { Matrix } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { limitRows, lowerFactor, rowNorm, shrink, shrinkSome } from '../../../src/twin/process/squareRoot.ts';

const numbers = (length: number) =>
  fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: length, maxLength: length });

const matrix = (values: ArrayLike<number>, rows: number, columns: number): Matrix =>
  new Matrix(
    Array.from({ length: rows }, (_, i) => Array.from(values).slice(i * columns, (i + 1) * columns)),
  );

const square = (m: Matrix): Matrix => m.mmul(m.transpose());

describe('the square root of a covariance', () => {
  test('a wide factor becomes a triangular one of the same covariance', () => {
    const [n, columns] = [4, 11];
    fc.assert(
      fc.property(numbers(n * columns), (values) => {
        const before = square(matrix(values, n, columns));
        const out = new Array<number>(n * n).fill(NaN);
        lowerFactor(Float64Array.from(values), n, columns, out);
        for (let i = 0; i < n; i++) for (let k = i + 1; k < n; k++) expect(out[i * n + k]).toBe(0);
        const error = Matrix.sub(square(matrix(out, n, n)), before).norm();
        expect(error).toBeLessThanOrEqual(1e-12 * (1 + before.norm()));
      }),
    );
  });

  test('rows of zeros stay so', () => {
    const out = new Array<number>(4).fill(NaN);
    lowerFactor(Float64Array.from([3, 4, 0, 0]), 2, 2, out);
    expect(out.map(Math.abs)).toEqual([5, 0, 0, 0]);
  });

  test('a measurement takes from it what the textbook takes, however exact it is', () => {
    const n = 3;
    const reading = fc.record({
      s: numbers(n * n),
      a: numbers(n),
      r: fc.double({ min: 1e-9, max: 1e3, noNaN: true }),
    });
    fc.assert(
      fc.property(reading, ({ s, a, r }) => {
        const S = matrix(s, n, n);
        const at = Matrix.columnVector(a);
        const variance = at.transpose().mmul(at).get(0, 0) + r;
        const PH = S.mmul(at);
        const expected = Matrix.sub(square(S), Matrix.mul(square(PH), 1 / variance));
        const gain = new Float64Array(n);
        const after = [...s];
        shrink(after, n, Float64Array.from(a), variance, r, gain);
        expect(Matrix.sub(square(matrix(after, n, n)), expected).norm()).toBeLessThanOrEqual(
          1e-10 * (1 + square(S).norm()),
        );
        for (let i = 0; i < n; i++) {
          expect(gain[i]).toBeCloseTo(PH.get(i, 0), 4);
          expect(rowNorm(after, n, i)).toBeLessThanOrEqual(rowNorm(s, n, i) * (1 + 1e-9) + 1e-12);
        }
      }),
    );
  });

  test('with variables that stay, it is the update of any gain, these rows of it being 0', () => {
    const n = 3;
    const reading = fc.record({
      s: numbers(n * n),
      a: numbers(n),
      r: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
    });
    fc.assert(
      fc.property(reading, ({ s, a, r }) => {
        const S = matrix(s, n, n);
        const at = Matrix.columnVector(a);
        const variance = at.transpose().mmul(at).get(0, 0) + r;
        const K = S.mmul(at).mul(1 / variance);
        K.set(1, 0, 0);
        // Joseph's form holds for any gain: (S - K a)(S - K a)' + K r K'.
        const expected = Matrix.add(square(Matrix.sub(S, K.mmul(at.transpose()))), square(K).mul(r));
        const after = [...s];
        const gain = new Float64Array(n);
        shrinkSome(
          after,
          n,
          Float64Array.from(a),
          variance,
          r,
          gain,
          [0, 1, 0],
          new Float64Array(n * (n + 1)),
        );
        expect(Matrix.sub(square(matrix(after, n, n)), expected).norm()).toBeLessThanOrEqual(
          1e-10 * (1 + square(S).norm()),
        );
        expect(gain[1]).toBe(0);
        expect(rowNorm(after, n, 1)).toBeCloseTo(rowNorm(s, n, 1), 6);
      }),
    );
  });

  test('a limit shortens a row and keeps its correlations', () => {
    const s = [3, 0, 4, 3];
    limitRows(s, 2, [1, 100]);
    expect(s).toEqual([1, 0, 4, 3]);
    limitRows(s, 2, [100, 1]);
    expect(s).toEqual([1, 0, 0.8, 0.6000000000000001]);
  });
});
