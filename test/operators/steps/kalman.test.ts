import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { Matrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { kalmanPredict, kalmanState, kalmanUpdate } from '../../../operators/steps/kalman.ts';
import type { KalmanState } from '../../../operators/steps/kalman.ts';
import { matrixPredict, matrixUpdate } from '../../../operators/steps/kalmanMatrix.ts';

/** Steps of filterpy 1.4.5: predict, then update, on every sample; null is a predict alone. */
interface Golden {
  readonly dt: number;
  readonly Q: readonly [number, number, number, number];
  readonly R: number;
  readonly P0: readonly [number, number, number, number];
  readonly x0: readonly [number, number];
  readonly z: readonly (number | null)[];
  readonly steps: readonly {
    readonly x: readonly number[];
    readonly P: readonly number[];
    readonly y: number | null;
    readonly S: number | null;
    readonly nis: number | null;
  }[];
}

const golden = (name: string): Golden =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), 'utf8')) as Golden;

const close = (actual: number, expected: number): void => {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(expected)));
};

const covariance = (s: KalmanState): number[] => [s.p00, s.p01, s.p01, s.p11];

describe.each(['kalman_ramp_seed42', 'kalman_missing'])('%s', (name) => {
  const { dt, Q, R, P0, x0, z, steps } = golden(name);

  it('is matched by the two-state form to 1e-12', () => {
    const state = { ...kalmanState(x0[0], [P0[0], P0[3]]), x1: x0[1] };
    expect(steps.length).toBe(z.length);
    steps.forEach((step, i) => {
      const measurement = z[i] ?? null;
      kalmanPredict(state, dt, Q[0], Q[1], Q[3]);
      const innovation = measurement === null ? null : kalmanUpdate(state, measurement, R);
      [state.x0, state.x1].forEach((value, k) => close(value, step.x[k] ?? NaN));
      covariance(state).forEach((value, k) => close(value, step.P[k] ?? NaN));
      if (innovation !== null) {
        close(innovation.y, step.y ?? NaN);
        close(innovation.s, step.S ?? NaN);
        close(innovation.y ** 2 / innovation.s, step.nis ?? NaN);
      }
    });
  });

  it('is matched by the matrix form to 1e-12', () => {
    const F = new Matrix([
      [1, dt],
      [0, 1],
    ]);
    const H = new Matrix([[1, 0]]);
    const q = new Matrix([
      [Q[0], Q[1]],
      [Q[2], Q[3]],
    ]);
    const state = {
      x: Matrix.columnVector([...x0]),
      P: new Matrix([
        [P0[0], P0[1]],
        [P0[2], P0[3]],
      ]),
    };
    steps.forEach((step, i) => {
      const measurement = z[i] ?? null;
      matrixPredict(state, F, q);
      if (measurement !== null) {
        const { y, S, nis } = matrixUpdate(state, new Matrix([[measurement]]), H, new Matrix([[R]]));
        close(y.get(0, 0), step.y ?? NaN);
        close(S.get(0, 0), step.S ?? NaN);
        close(nis, step.nis ?? NaN);
      }
      state.x.to1DArray().forEach((value, k) => close(value, step.x[k] ?? NaN));
      state.P.to1DArray().forEach((value, k) => close(value, step.P[k] ?? NaN));
    });
  });
});

const step = fc.record({
  dt: fc.double({ min: 1e-3, max: 100, noNaN: true }),
  z: fc.option(fc.double({ min: -1e3, max: 1e3, noNaN: true })),
});

describe('both forms', () => {
  it('agree to 1e-12 on any sequence', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (sequence) => {
        const fast = kalmanState(10, [1, 1]);
        const general = { x: Matrix.columnVector([10, 0]), P: Matrix.diag([1, 1]) };
        for (const { dt, z } of sequence) {
          kalmanPredict(fast, dt, 0.01 * dt, 0, 0.01 * dt);
          matrixPredict(
            general,
            new Matrix([
              [1, dt],
              [0, 1],
            ]),
            Matrix.diag([0.01 * dt, 0.01 * dt]),
          );
          if (z !== null) {
            kalmanUpdate(fast, z, 0.5);
            matrixUpdate(general, new Matrix([[z]]), new Matrix([[1, 0]]), new Matrix([[0.5]]));
          }
        }
        const scale = Math.max(1, ...sequence.map(({ z }) => Math.abs(z ?? 0)), fast.p00, fast.p11);
        const expected = [...general.x.to1DArray(), ...general.P.to1DArray()];
        [fast.x0, fast.x1, ...covariance(fast)].forEach((value, i) => {
          expect(Math.abs(value - (expected[i] ?? NaN)) / scale).toBeLessThanOrEqual(1e-12);
        });
      }),
    );
  });

  it('two-state form keeps its variances positive at any spacing', () => {
    const spacing = fc.double({ min: 1e-3, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(spacing, fc.boolean()), { minLength: 1, maxLength: 300 }), (sequence) => {
        const state = kalmanState(85, [1, 1]);
        for (const [dt, measured] of sequence) {
          kalmanPredict(state, dt, 0.01 * dt, 0, 0.01 * dt);
          if (measured) kalmanUpdate(state, 85, 0.5);
          expect(state.p00).toBeGreaterThan(0);
          expect(state.p11).toBeGreaterThan(0);
          expect(state.det).toBeGreaterThan(0);
        }
      }),
    );
  });
});
