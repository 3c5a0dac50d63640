import fc from 'fast-check';
import { Matrix } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { matrixPredict, matrixUpdate } from '../../../operators/steps/kalmanMatrix.ts';
import { integrateBy } from '../../../src/twin/process/estimatedTwin.ts';
import { Layout } from '../../../src/twin/process/layout.ts';
import type { Estimated } from '../../../src/twin/process/layout.ts';
import type { ProcessModel } from '../../../src/twin/process/model.ts';
import { Unscented } from '../../../src/twin/process/unscented.ts';
import { normals, stirredTank } from '../../support/stirredTank.ts';

/** Two tanks in a row, levels in m: dh1 = (u - k h1) / 100, dh2 = k (h1 - h2) / 100. Linear but for k. */
const tanks: ProcessModel = {
  type: 'tanks',
  states: ['h1', 'h2'].map((name) => ({ name, unit: 'm', initial: 1, min: -1e9, max: 1e9, scale: 1 })),
  inputs: [{ name: 'u', unit: 'm/s', initial: 1, min: -1e9, max: 1e9 }],
  parameters: [{ name: 'k', unit: '1', initial: 1, min: 0, max: 100 }],
  derivatives(x, u, p, dxdt) {
    dxdt[0] = ((u[0] ?? NaN) - (p[0] ?? NaN) * (x[0] ?? NaN)) / 100;
    dxdt[1] = ((p[0] ?? NaN) * ((x[0] ?? NaN) - (x[1] ?? NaN))) / 100;
  },
  measured: { level: { kind: 'output', unit: 'm', read: (x) => x[1] ?? NaN } },
  outputs: { level: { unit: 'm', read: (x) => x[1] ?? NaN } },
};

/** Exact over a step: h1 and h2 decay with the same rate a, so that exp(A t) = e^-at [[1, 0], [a t, 1]]. */
const exact = (x: Float64Array, u: Float64Array, _p: Float64Array, dtS: number): void => {
  const [h1, h2, level] = [x[0]!, x[1]!, u[0]!];
  const decay = Math.exp(-dtS / 100);
  x[0] = level + decay * (h1 - level);
  x[1] = level + decay * ((dtS / 100) * (h1 - level) + (h2 - level));
};

const input: Estimated = {
  ...{
    name: 'u',
    unit: 'm/s',
    kind: 'input',
    index: 0,
    log: false,
    considered: false,
    initial: 1,
    min: -1e9,
    max: 1e9,
  },
  ...{ stdDev: 0.5, noisePerSqrtS: 0 },
};
const noise = { initialStdDev: [1, 2], noisePerSqrtS: [0.02, 0.03] };
const level = (x: ArrayLike<number>): number => x[1] ?? NaN;

describe('the unscented filter', () => {
  test.each([
    ['two states', [] as Estimated[]],
    ['two states and an input', [input]],
  ])('is the Kalman filter where the model is linear, at irregular times: %s', (_, estimated) => {
    const layout = new Layout(tanks, estimated);
    const filter = new Unscented(tanks, layout, noise, exact);
    const belief = filter.initial();
    const n = layout.n;
    const stdDevs = [...noise.initialStdDev, 0.5].slice(0, n);
    const state = {
      x: Matrix.columnVector([1, 1, 1].slice(0, n)),
      P: Matrix.diag(stdDevs.map((sd) => sd ** 2)),
    };
    const random = normals(5);
    for (let i = 0; i < 300; i++) {
      const dtS = Math.exp(2 * random());
      const decay = Math.exp(-dtS / 100);
      const a = dtS / 100;
      const F = new Matrix(
        [
          [decay, 0, 1 - decay],
          [a * decay, decay, 1 - decay - a * decay],
          [0, 0, 1],
        ]
          .slice(0, n)
          .map((row) => row.slice(0, n)),
      );
      const q = [0.02, 0.03, 0].slice(0, n).map((sd) => sd ** 2 * dtS);
      filter.predict(belief, [1], dtS, [0]);
      matrixPredict(state, F, Matrix.diag(q));
      // With the input held at 1, what it adds is no part of F.
      if (n === 2) state.x.add(Matrix.columnVector([1 - decay, 1 - decay - a * decay]));
      if (i % 3 === 0) continue;
      const z = 1 + random();
      const r = Math.exp(random());
      filter.accept(belief, filter.expect(belief, [1], level), z, r);
      matrixUpdate(state, new Matrix([[z]]), new Matrix([[0, 1, 0].slice(0, n)]), new Matrix([[r]]));
    }
    const S = new Matrix(Array.from({ length: n }, (_, i) => belief.s.slice(i * n, (i + 1) * n)));
    expect(Matrix.sub(S.mmul(S.transpose()), state.P).norm()).toBeLessThan(1e-10);
    for (let i = 0; i < n; i++) expect(belief.z[i]).toBeCloseTo(state.x.get(i, 0), 9);
  });

  test('a noisy input widens the states by what it does to them', () => {
    const filter = new Unscented(
      tanks,
      new Layout(tanks, []),
      { initialStdDev: [0, 0], noisePerSqrtS: [0, 0] },
      exact,
    );
    const belief = filter.initial();
    filter.predict(belief, [1], 10, [0.5]);
    expect(filter.stdDev(belief, 0)).toBeCloseTo(0.5 * -Math.expm1(-0.1), 12);
  });

  test('a function that bends is known less well than its slope says', () => {
    const filter = new Unscented(
      tanks,
      new Layout(tanks, []),
      { initialStdDev: [1, 0.3], noisePerSqrtS: [0, 0] },
      exact,
    );
    const { mean, variance } = filter.expect(filter.initial(), [1], (x) => (x[1] ?? NaN) ** 2);
    // x ~ N(1, 0.3): the mean of x^2 is 1 + 0.09, its variance 4 * 0.09 + 2 * 0.09^2.
    expect(mean).toBeCloseTo(1.09, 12);
    expect(variance).toBeCloseTo(4 * 0.09 + 2 * 0.09 ** 2, 12);
  });

  test('stays a finite, positive covariance within bounds, whatever comes', () => {
    const model = stirredTank();
    const layout = new Layout(model, [
      {
        ...{ name: 'UA', unit: '', kind: 'parameter', index: 0, log: true, considered: false },
        ...{ initial: 5e4, min: 0, max: 1e6, stdDev: 1e4, noisePerSqrtS: 10 },
      },
      {
        ...{ name: 'cf', unit: '', kind: 'input', index: 2, log: true, considered: true },
        ...{ initial: 1, min: 0, max: 10, stdDev: 0.2, noisePerSqrtS: 1e-3 },
      },
    ]);
    const tankNoise = { initialStdDev: [0.1, 10], noisePerSqrtS: [1e-4, 0.01] };
    const filter = new Unscented(model, layout, tankNoise, integrateBy(model));
    const step = fc.record({
      dtS: fc.oneof(
        { weight: 5, arbitrary: fc.double({ min: 1e-6, max: 10, noNaN: true }) },
        fc.double({ min: 10, max: 60, noNaN: true }),
      ),
      value: fc.double({ min: -50, max: 300, noNaN: true }),
      r: fc.double({ min: 1e-9, max: 100, noNaN: true }),
      repeat: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 30 }), (steps) => {
        const belief = filter.initial();
        const u = [100, 300, 1];
        for (const { dtS, value, r, repeat } of steps) {
          filter.predict(belief, u, dtS, [1, 0.1, 0]);
          for (let i = 0; i < repeat; i++) {
            const expected = filter.expect(belief, u, (x) => (x[1] ?? NaN) - 273.15);
            filter.accept(belief, expected, value, r);
          }
          for (const [i, value] of belief.z.entries()) {
            expect(value).toBeGreaterThanOrEqual(layout.lower[i]!);
            expect(value).toBeLessThanOrEqual(layout.upper[i]!);
            expect(filter.stdDev(belief, i)).toBeGreaterThan(0);
            expect(filter.stdDev(belief, i)).toBeLessThan(2000);
          }
        }
        const S = new Matrix(Array.from({ length: 4 }, (_, i) => belief.s.slice(i * 4, i * 4 + 4)));
        expect(S.mmul(S.transpose()).isSymmetric()).toBe(true);
      }),
      { numRuns: 60, seed: 7 },
    );
  });
});
