import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { jacobianOf } from './jacobian.ts';
import { factorise, solveFactorised } from './linear.ts';
import type { ProcessModel } from './model.ts';

export interface SteadyState {
  /** In the model's units, in the order of its states. */
  readonly x: readonly number[];
  /** Whether every small deviation dies out. */
  readonly stable: boolean;
  /** Of the Jacobian, 1/s. */
  readonly eigenvalues: readonly { readonly re: number; readonly im: number }[];
}

/** Places along each state's bounds that are looked at. */
const PLACES = 4000;
const NEWTON_STEPS = 50;
/** In scales of the states: where Newton's method has arrived, and what is one and the same steady state. */
const ARRIVED = 1e-13;
const SAME = 1e-6;

/**
 * All states within the bounds at which nothing changes with inputs and parameters held, the unstable ones too, ordered by
 * the first state, falling.
 *
 * Each state in turn is held at places along its bounds while the others are brought to rest; where the rate of the held
 * one changes its sign, or comes close to 0 and turns back, lies a steady state, which Newton's method then makes exact.
 * Two steady states that are closer together than a place and do not meet are found only by the second sign.
 * This is for analysis: it takes some hundred milliseconds, and is no part of following a plant.
 */
export function steadyStates(model: ProcessModel, u: ArrayLike<number>, p: ArrayLike<number>): SteadyState[] {
  const n = model.states.length;
  const solve = restSolver(model, u, p);
  const found: Float64Array[] = [];
  const keep = (x: Float64Array): void => {
    const inside = model.states.every(({ min, max }, i) => (x[i] ?? NaN) >= min && (x[i] ?? NaN) <= max);
    const known = found.some((other) =>
      model.states.every(({ scale }, i) => Math.abs((other[i] ?? NaN) - (x[i] ?? NaN)) <= SAME * scale),
    );
    if (inside && !known) found.push(x);
  };
  for (let along = 0; along < n; along++) {
    for (const candidate of candidates(model, along, solve)) {
      if (solve.rest(candidate, -1)) keep(candidate);
    }
  }
  return found
    .sort((a, b) => (b[0] ?? NaN) - (a[0] ?? NaN))
    .map((x) => ({ x: [...x], ...stability(model, x, u, p) }));
}

interface RestSolver {
  /** Moves all states but the held one (-1: none) until their rates are 0. @returns false where that fails. */
  rest(x: Float64Array, held: number): boolean;
  rate(x: Float64Array, index: number): number;
}

function restSolver(model: ProcessModel, u: ArrayLike<number>, p: ArrayLike<number>): RestSolver {
  const n = model.states.length;
  const jacobian = jacobianOf(model);
  const jac = new Float64Array(n * n);
  const pivots = new Int32Array(n);
  const rates = new Float64Array(n);
  const step = new Float64Array(n);
  return {
    rest(x, held) {
      let before = Infinity;
      for (let tries = 0; tries < NEWTON_STEPS; tries++) {
        model.derivatives(x, u, p, rates);
        jacobian(x, u, p, jac);
        step.set(rates);
        if (held >= 0) {
          // Its equation becomes "it does not move".
          for (let j = 0; j < n; j++) jac[held * n + j] = j === held ? 1 : 0;
          step[held] = 0;
        }
        if (!factorise(jac, pivots, n)) return false;
        solveFactorised(jac, pivots, step, n);
        let size = 0;
        model.states.forEach(({ scale }, i) => {
          x[i] = (x[i] ?? NaN) - (step[i] ?? NaN);
          size = Math.max(size, Math.abs(step[i] ?? NaN) / scale);
        });
        if (!Number.isFinite(size)) return false;
        if (size <= ARRIVED) return true;
        // It has arrived as far as rounding lets it when the steps are small and no longer shrink.
        if (size < SAME * 1e-2 && size >= before) return true;
        before = size;
      }
      return false;
    },
    rate(x, index) {
      model.derivatives(x, u, p, rates);
      return rates[index] ?? NaN;
    },
  };
}

/** Points near which a steady state may lie, with the state `along` as the one that is held. */
function candidates(model: ProcessModel, along: number, solve: RestSolver): Float64Array[] {
  const { min = NaN, max = NaN } = model.states[along] ?? {};
  const near: Float64Array[] = [];
  const x = Float64Array.from(model.states, ({ initial }) => initial);
  let previous = NaN;
  let earlier = NaN;
  for (let place = 0; place <= PLACES; place++) {
    const start = Float64Array.from(x);
    x[along] = min + ((max - min) * place) / PLACES;
    if (!solve.rest(x, along)) {
      x.set(start);
      previous = NaN;
      continue;
    }
    const rate = solve.rate(x, along);
    const crossed = previous * rate <= 0;
    const turned = Math.abs(previous) <= Math.abs(rate) && Math.abs(previous) <= Math.abs(earlier);
    if (crossed || turned) near.push(bisected(start, x, along, previous, solve, crossed));
    earlier = previous;
    previous = rate;
  }
  return near;
}

/** Where the sign changes, so near that Newton's method cannot end elsewhere; else the place before. */
function bisected(
  start: Float64Array,
  end: Float64Array,
  along: number,
  startRate: number,
  solve: RestSolver,
  crossed: boolean,
): Float64Array {
  if (!crossed) return Float64Array.from(start);
  let low = start[along] ?? NaN;
  let high = end[along] ?? NaN;
  const x = Float64Array.from(start);
  for (let i = 0; i < 40; i++) {
    x[along] = (low + high) / 2;
    if (!solve.rest(x, along)) break;
    if (solve.rate(x, along) * startRate > 0) low = x[along] ?? NaN;
    else high = x[along] ?? NaN;
  }
  return x;
}

function stability(
  model: ProcessModel,
  x: Float64Array,
  u: ArrayLike<number>,
  p: ArrayLike<number>,
): Pick<SteadyState, 'stable' | 'eigenvalues'> {
  const n = model.states.length;
  const jac = new Float64Array(n * n);
  jacobianOf(model)(x, u, p, jac);
  const rows = Array.from({ length: n }, (_, i) => [...jac.subarray(i * n, (i + 1) * n)]);
  const { realEigenvalues, imaginaryEigenvalues } = new EigenvalueDecomposition(new Matrix(rows));
  const eigenvalues = realEigenvalues.map((re, i) => ({ re, im: imaginaryEigenvalues[i] ?? NaN }));
  return { stable: eigenvalues.every(({ re }) => re < 0), eigenvalues };
}
