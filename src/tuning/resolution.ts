import type { Run } from './runs.ts';
import { sorted } from './robust.ts';

/** Of the differences, so many must be whole steps. */
const SHARE_OF_WHOLE = 0.99;
/** Beyond so many steps a difference says nothing of the step: rounding errors of the values themselves. */
const MAX_STEPS = 1e5;
const MAX_DIFFERENCES = 20_000;

/**
 * The step in which the values come (quantisation), in their unit; null where there is none to be seen.
 * The smallest change, or a whole part of it, of which nearly all changes are multiples.
 */
export function resolutionOf(runs: readonly Run[]): number | null {
  const found: number[] = [];
  for (const { values } of runs) {
    for (let i = 1; i < values.length && found.length < MAX_DIFFERENCES; i++) {
      const size = Math.abs((values[i] ?? 0) - (values[i - 1] ?? 0));
      // Less is a rounding error: 20.1 + 0.2 is not 20.3.
      if (size > 1e-12 * Math.abs(values[i] ?? 0) && size > 0) found.push(size);
    }
  }
  const changes = sorted(found);
  const smallest = changes[0];
  if (smallest === undefined) return null;
  for (let parts = 1; parts <= 10; parts++) {
    const step = meanStep(changes, smallest / parts);
    if (step !== null) return Number(step.toPrecision(6));
  }
  return null;
}

/** A step near `step` that fits all changes, or null. */
function meanStep(changes: Float64Array, step: number): number | null {
  let best = step;
  let whole = 0;
  let judged = 0;
  for (const change of changes) {
    const count = Math.round(change / best);
    if (count > MAX_STEPS) break;
    judged += 1;
    if (Math.abs(change / best - count) > 0.05) continue;
    whole += 1;
    // The longer the change, the better it tells the step.
    best = change / count;
  }
  return judged >= 10 && whole >= SHARE_OF_WHOLE * judged ? best : null;
}
