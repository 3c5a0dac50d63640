import { copy } from './linear.ts';
import type { ProcessModel } from './model.ts';

/**
 * Steps of the central differences, as a part of a state's scale: rounding (eps / step) and the third derivative
 * (step squared) are then both some 1e-11 of the result for states that move by about their scale.
 */
const STEP = 1e-5;
/** And at least this part of the value, so that a value far beyond its scale still moves. */
const LEAST_STEP = 1e-7;

/**
 * A function that writes the Jacobian df/dx, row by row, at a point: `jacobian(x, u, p, into)`, n × n numbers, per second.
 *
 * At a bound the difference is taken to the inside only, as a model need not be finite outside. Its work array is its own:
 * one call at a time, no allocation.
 */
export function jacobianOf(
  model: ProcessModel,
): (x: Float64Array, u: ArrayLike<number>, p: ArrayLike<number>, into: Float64Array) => void {
  const n = model.states.length;
  const steps = model.states.map(({ scale }) => STEP * scale);
  const min = model.states.map((state) => state.min);
  const max = model.states.map((state) => state.max);
  const at = new Float64Array(n);
  const upper = new Float64Array(n);
  const lower = new Float64Array(n);
  return (x, u, p, into) => {
    copy(x, at, n);
    for (let j = 0; j < n; j++) {
      const value = x[j] ?? NaN;
      const step = Math.max(steps[j] ?? NaN, LEAST_STEP * Math.abs(value));
      const high = Math.min(value + step, Math.max(max[j] ?? Infinity, value));
      const low = Math.max(value - step, Math.min(min[j] ?? -Infinity, value));
      at[j] = high;
      model.derivatives(at, u, p, upper);
      at[j] = low;
      model.derivatives(at, u, p, lower);
      at[j] = value;
      for (let i = 0; i < n; i++) into[i * n + j] = ((upper[i] ?? NaN) - (lower[i] ?? NaN)) / (high - low);
    }
  };
}
