import { jacobianOf } from './jacobian.ts';
import type { Layout } from './layout.ts';
import type { ProcessModel } from './model.ts';
import { at } from './squareRoot.ts';
import type { Belief } from './unscented.ts';

/** How fast a small volume of states grows by itself, inputs held, 1/s. */
export interface Divergence {
  divergence: number;
  stdDev: number;
}

/**
 * The divergence of the flow at a belief: the trace of df/dx over the watched states (F. Strozzi, J. M. Zaldívar 1994, 1999).
 *
 * Its band is from the filter's columns: half the difference at +- one of each, as where it is linear in them.
 *
 * @param watched places of the states whose balances count. What is returned is good until the next call.
 */
export function dynamicsOf(
  model: ProcessModel,
  layout: Layout,
  watched: readonly number[],
): (belief: Belief, u: ArrayLike<number>) => Divergence {
  const { n, states } = layout;
  const jacobian = jacobianOf(model);
  const point = layout.point();
  const moved = new Float64Array(n);
  const j = new Float64Array(states * states);
  const result: Divergence = { divergence: 0, stdDev: 0 };

  const traceAt = ({ z, s }: Belief, u: ArrayLike<number>, column: number, reach: number): number => {
    for (let i = 0; i < n; i++) moved[i] = at(z, i) + (reach === 0 ? 0 : reach * at(s, i * n + column));
    layout.unpack(moved, u, point);
    jacobian(point.x, point.u, point.p, j);
    let trace = 0;
    for (const i of watched) trace += at(j, i * states + i);
    return trace;
  };

  return (belief, u) => {
    let variance = 0;
    for (let i = 0; i < n; i++) {
      const half = (traceAt(belief, u, i, 1) - traceAt(belief, u, i, -1)) / 2;
      variance += half * half;
    }
    result.divergence = traceAt(belief, u, 0, 0);
    result.stdDev = Math.sqrt(variance);
    return result;
  };
}
