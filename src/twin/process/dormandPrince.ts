import { copy } from './linear.ts';
import type { ProcessModel } from './model.ts';

/**
 * One step of the explicit Runge-Kutta pair of order 5(4) by Dormand and Prince (J. Comp. Appl. Math. 6, 1980, 19-26).
 *
 * The last stage is the derivative at the new point, and so the first one of the next step.
 */
export interface DormandPrince {
  /** dx/dt at the present point; the caller sees to it that it is right before an attempt. */
  readonly first: Float64Array;
  /** The new point, after an attempt. */
  readonly point: Float64Array;
  /** The difference of the two orders, after an attempt. */
  readonly error: Float64Array;
  attempt(x: Float64Array, u: ArrayLike<number>, p: ArrayLike<number>, h: number): void;
  /** Hands the derivative at the new point on to the next step. */
  accept(): void;
  /** |h lambda| of the step just attempted; above 3.3 it is stability that limits it (Hairer and Wanner II, IV.2). */
  stiffness(h: number, scales: ArrayLike<number>): number;
}

export function dormandPrince(model: ProcessModel): DormandPrince {
  const n = model.states.length;
  const k1 = new Float64Array(n);
  const k2 = new Float64Array(n);
  const k3 = new Float64Array(n);
  const k4 = new Float64Array(n);
  const k5 = new Float64Array(n);
  const k6 = new Float64Array(n);
  const k7 = new Float64Array(n);
  const stage = new Float64Array(n);
  const point = new Float64Array(n);
  const error = new Float64Array(n);

  // In each sum the terms are those of the published table, row by row; an index is within n by the loop's bound.
  const attempt = (x: Float64Array, u: ArrayLike<number>, p: ArrayLike<number>, h: number): void => {
    for (let i = 0; i < n; i++) stage[i] = at(x, i) + h * (1 / 5) * at(k1, i);
    model.derivatives(stage, u, p, k2);
    for (let i = 0; i < n; i++) stage[i] = at(x, i) + h * ((3 / 40) * at(k1, i) + (9 / 40) * at(k2, i));
    model.derivatives(stage, u, p, k3);
    for (let i = 0; i < n; i++) {
      stage[i] = at(x, i) + h * ((44 / 45) * at(k1, i) - (56 / 15) * at(k2, i) + (32 / 9) * at(k3, i));
    }
    model.derivatives(stage, u, p, k4);
    for (let i = 0; i < n; i++) {
      stage[i] =
        at(x, i) +
        h *
          ((19372 / 6561) * at(k1, i) -
            (25360 / 2187) * at(k2, i) +
            (64448 / 6561) * at(k3, i) -
            (212 / 729) * at(k4, i));
    }
    model.derivatives(stage, u, p, k5);
    for (let i = 0; i < n; i++) {
      stage[i] =
        at(x, i) +
        h *
          ((9017 / 3168) * at(k1, i) -
            (355 / 33) * at(k2, i) +
            (46732 / 5247) * at(k3, i) +
            (49 / 176) * at(k4, i) -
            (5103 / 18656) * at(k5, i));
    }
    model.derivatives(stage, u, p, k6);
    for (let i = 0; i < n; i++) {
      point[i] =
        at(x, i) +
        h *
          ((35 / 384) * at(k1, i) +
            (500 / 1113) * at(k3, i) +
            (125 / 192) * at(k4, i) -
            (2187 / 6784) * at(k5, i) +
            (11 / 84) * at(k6, i));
    }
    model.derivatives(point, u, p, k7);
    for (let i = 0; i < n; i++) {
      error[i] =
        h *
        ((71 / 57600) * at(k1, i) -
          (71 / 16695) * at(k3, i) +
          (71 / 1920) * at(k4, i) -
          (17253 / 339200) * at(k5, i) +
          (22 / 525) * at(k6, i) -
          (1 / 40) * at(k7, i));
    }
  };

  return {
    first: k1,
    point,
    error,
    attempt,
    accept: () => copy(k7, k1, n),
    stiffness(h, scales) {
      // Two points a small distance apart at the same time: the change of the derivative over it estimates the eigenvalue.
      let change = 0;
      let distance = 0;
      for (let i = 0; i < n; i++) {
        const scale = scales[i] ?? NaN;
        change = Math.max(change, Math.abs(at(k7, i) - at(k6, i)) / scale);
        distance = Math.max(distance, Math.abs(at(point, i) - at(stage, i)) / scale);
      }
      return distance > 0 ? (h * change) / distance : 0;
    },
  };
}

const at = (values: Float64Array, i: number): number => values[i] ?? NaN;
