import { NEVER } from 'rxjs';
import { resolvedOnce } from './options.ts';
import { emittingStage } from './stage.ts';
import type { EmittingStep, Stage } from './stage.ts';
import { stateCell } from './stateCell.ts';
import { resolveSmoothOptions, smoothFlush, smoothState as initial, smoothStep } from './steps/smooth.ts';
import type { ResolvedSmoothOptions, SmoothOptions, SmoothedReading, SmoothState } from './steps/smooth.ts';
import type { Reading } from './types.ts';

/**
 * A second estimate of one sensor, `lagMs` behind, which knows what came afterwards (fixed-lag smoother over the filters
 * of `estimateState`).
 *
 *     source                       --a--b--c--d--e--|
 *     smoothState({lagMs: 2000})   --------A--B--C--(DE|)    one reading a second; D and E with less lag
 *
 * Bad, missing and imputed readings get an estimate like the others, which readings on both sides support. None comes out
 * for readings before the first measurement, and for late ones.
 *
 * State: O(readings within lagMs + everyMs, at most maxReadings) a subscription. Drops: none.
 * Errors: RangeError on bad options, when composed.
 *
 * @example
 * readings$.pipe(smoothState({ lagMs: 10_000, measurementVariance: 0.25 }))
 * @see Rauch, Tung and Striebel (1965), Maximum Likelihood Estimates of Linear Dynamic Systems
 */
export function smoothState(
  options: SmoothOptions = {},
  cell = stateCell(initial),
): Stage<Reading, SmoothedReading> {
  return emittingStage(cell, resolve(options), STEP, NEVER);
}

const STEP: EmittingStep<SmoothState, Reading, SmoothedReading, ResolvedSmoothOptions> = {
  next: smoothStep,
  tick: () => undefined,
  flush: (state, _, emit) => smoothFlush(state, emit),
};

const resolve = resolvedOnce(resolveSmoothOptions);
