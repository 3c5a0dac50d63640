import { jacobianOf } from './jacobian.ts';
import { copy, factorise, solveFactorised } from './linear.ts';
import type { ProcessModel } from './model.ts';

/**
 * One step of Rodas5P, a stiffly accurate, L-stable Rosenbrock method of order 5(4) with eight stages
 * (G. Steinebach, Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks within the Julia Differential
 * Equations package, BIT Numer. Math. 63, 2023, 27).
 *
 *     W = 1 / (h GAMMA) - J,   W K_i = f(x + sum A_ij K_j) + sum C_ij K_j / h,   new x = x + sum A_8j K_j + K_8
 *
 * Each stage is one linear system with the same matrix: nothing is iterated, so nothing can fail to converge.
 */
const GAMMA = 0.21193756319429014;

/** Row i: what stage i + 2 takes of the stages before it; the last two rows add the stage before with weight 1. */
const A: readonly (readonly number[])[] = (() => {
  const sixth = [
    -7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946,
  ];
  return [
    [3],
    [2.849394379747939, 0.45842242204463923],
    [-6.954028509809101, 2.489845061869568, -10.358996098473584],
    [2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641],
    sixth,
    [...sixth, 1],
    [...sixth, 1, 1],
  ];
})();

const C: readonly (readonly number[])[] = [
  [-14.155112264123755],
  [-17.97296035885952, -2.859693295451294],
  [147.12150275711716, -1.41221402718213, 71.68940251302358],
  [165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306],
  [24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471],
  [
    30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623,
    -28.087943162872662,
  ],
  [
    37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002,
    -54.66780262877968, -9.48861652309627,
  ],
];

const STAGES = 8;

export interface Rosenbrock {
  /** dx/dt at the present point; the caller sees to it that it is right before an attempt. */
  readonly first: Float64Array;
  /** The new point, after an attempt that was possible. */
  readonly point: Float64Array;
  /** The difference of the two orders, after an attempt that was possible. */
  readonly error: Float64Array;
  /** Takes the Jacobian at the point from which the next attempts start. */
  prepare(x: Float64Array, u: ArrayLike<number>, p: ArrayLike<number>): void;
  /** @returns false where the matrix of the stages is singular: a shorter step is needed. */
  attempt(x: Float64Array, u: ArrayLike<number>, p: ArrayLike<number>, h: number): boolean;
  /** A bound of |h lambda| at the prepared point: the largest sum of a row of the scaled Jacobian. */
  stiffness(h: number, scales: ArrayLike<number>): number;
}

export function rosenbrock(model: ProcessModel): Rosenbrock {
  const n = model.states.length;
  const jacobian = jacobianOf(model);
  const first = new Float64Array(n);
  const point = new Float64Array(n);
  const error = new Float64Array(n);
  const rate = new Float64Array(n);
  const jac = new Float64Array(n * n);
  const matrix = new Float64Array(n * n);
  const pivots = new Int32Array(n);
  const stages = Array.from({ length: STAGES }, () => new Float64Array(n));

  /** Adds the weighted stages before this one to `into`. */
  const add = (weights: readonly number[], divisor: number, into: Float64Array): void => {
    for (let j = 0; j < weights.length; j++) {
      const weight = (weights[j] ?? NaN) / divisor;
      const stage = stages[j];
      if (stage === undefined) continue;
      for (let i = 0; i < n; i++) into[i] = (into[i] ?? NaN) + weight * (stage[i] ?? NaN);
    }
  };

  return {
    first,
    point,
    error,
    prepare: (x, u, p) => jacobian(x, u, p, jac),
    attempt(x, u, p, h) {
      for (let i = 0; i < n * n; i++) matrix[i] = -(jac[i] ?? NaN);
      for (let i = 0; i < n; i++) matrix[i * n + i] = (matrix[i * n + i] ?? NaN) + 1 / (h * GAMMA);
      if (!factorise(matrix, pivots, n)) return false;
      for (let s = 0; s < STAGES; s++) {
        const stage = stages[s];
        const a = A[s - 1];
        const c = C[s - 1];
        if (stage === undefined) continue;
        if (a === undefined || c === undefined) {
          copy(first, stage, n);
        } else {
          copy(x, point, n);
          add(a, 1, point);
          model.derivatives(point, u, p, rate);
          copy(rate, stage, n);
          add(c, h, stage);
        }
        solveFactorised(matrix, pivots, stage, n);
        copy(stage, error, n);
      }
      // The last stage is both what is left to add and the difference of the orders.
      for (let i = 0; i < n; i++) point[i] = (point[i] ?? NaN) + (error[i] ?? NaN);
      return true;
    },
    stiffness(h, scales) {
      let largest = 0;
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += Math.abs(jac[i * n + j] ?? NaN) * (scales[j] ?? NaN);
        largest = Math.max(largest, sum / (scales[i] ?? NaN));
      }
      return h * largest;
    },
  };
}
