import type { Run } from './runs.ts';
import { sorted } from './robust.ts';

/** Of the differences, so many must be whole steps. */
const SHARE_OF_WHOLE = 0.99;
/** Off a whole number of steps by so much at most: rounding errors of the values themselves. */
const TOLERANCE = 0.05;
/** Beyond so many steps a difference says nothing of the step. */
const MAX_STEPS = 1e5;
const MAX_DIFFERENCES = 20_000;
/** Of the changes, at least so many must be another multiple than the commonest one. */
const SHARE_OF_OTHERS = 0.01;
/** So near to whole steps no process comes by itself. */
const EXACT = 0.001;

/**
 * The step in which the values come (quantisation), in their unit; null where there is none to be seen.
 * The smallest change, or a whole part of it, of which nearly all changes are multiples, and not all the same one:
 * a steady ramp has changes that are alike, too.
 */
export function resolutionOf(runs: readonly Run[]): number | null {
  const found: number[] = [];
  let [unchanged, rises] = [0, 0];
  for (const { values } of runs) {
    for (let i = 1; i < values.length && found.length < MAX_DIFFERENCES; i++) {
      const change = (values[i] ?? 0) - (values[i - 1] ?? 0);
      // Less is a rounding error: 20.1 + 0.2 is not 20.3.
      if (Math.abs(change) > 1e-12 * Math.abs(values[i] ?? 0) && change !== 0) {
        found.push(Math.abs(change));
        if (change > 0) rises += 1;
      } else unchanged += 1;
    }
  }
  const changes = sorted(found);
  const smallest = changes[0];
  if (smallest === undefined) return null;
  const falls = changes.length - rises;
  const isOneWay = unchanged + Math.min(rises, falls) < SHARE_OF_OTHERS * (changes.length + unchanged);
  for (let parts = 1; parts <= 10; parts++) {
    const step = meanStep(changes, smallest / parts);
    if (fits(changes, step, unchanged, isOneWay ? EXACT : TOLERANCE)) return Number(step.toPrecision(6));
  }
  return null;
}

/** The step near `step` that fits the changes best, by least squares; the longer a change, the better it tells the step. */
function meanStep(changes: Float64Array, step: number): number {
  let best = step;
  let [product, square] = [0, 0];
  for (const change of changes) {
    const count = Math.round(change / best);
    if (count > MAX_STEPS) break;
    if (count === 0 || Math.abs(change / best - count) > TOLERANCE) continue;
    product += change * count;
    square += count * count;
    best = product / square;
  }
  return best;
}

/** Whether the changes are multiples of the step as it came out, and more than one multiple; 0, no change, is one. */
function fits(changes: Float64Array, step: number, unchanged: number, tolerance: number): boolean {
  const multiples = new Map<number, number>([[0, unchanged]]);
  let [whole, judged] = [0, 0];
  for (const change of changes) {
    const count = Math.round(change / step);
    if (count > MAX_STEPS) break;
    judged += 1;
    if (count === 0 || Math.abs(change / step - count) > tolerance) continue;
    whole += 1;
    multiples.set(count, (multiples.get(count) ?? 0) + 1);
  }
  const others = whole + unchanged - Math.max(...multiples.values());
  return judged >= 10 && whole >= SHARE_OF_WHOLE * judged && others >= Math.max(2, SHARE_OF_OTHERS * whole);
}
