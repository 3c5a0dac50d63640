import { NEVER } from 'rxjs';
import type { Observable } from 'rxjs';
import { stateCell } from './stateCell.ts';
import { missingState, missingStep, missingTick, resolveMissingOptions } from './steps/missing.ts';
import type { MissingOptions } from './steps/missing.ts';
import { resolvedOnce } from './options.ts';
import { emittingStage } from './stage.ts';
import type { Stage } from './stage.ts';
import type { Reading } from './types.ts';

/**
 * Gives missing readings a value made from the ones before, and says so.
 *
 *     source       --a--b--n--c--|    a 85, b 86, n without a value
 *     imputeMissing()
 *     result       --a--b--N--c--|    N 85.5, imputed, Uncertain, "Missing value: replaced by 85.5 (meanOfLastTwo of 85, 86)"
 *
 *     source       --1--2--------4--|    source times in seconds
 *     imputeMissing({ expectedIntervalMs: 1000 })
 *     result       --1--2--------(34)--|    3 is imputed, as soon as 4 shows that it never came
 *
 *     source       --1--2---------------
 *     ticks        ---t---t---t---t---t-
 *     imputeMissing({ expectedIntervalMs: 1000 }, undefined, ticks)
 *     result       --1--2-----3---4---5-    each half an interval after it was due
 *
 * Only readings that are not Bad and in which no check found anything make history. Imputed readings do not. A Bad
 * reading keeps its value, or goes without. Where history is too short, or with `method: 'none'`, a reading without a
 * value becomes Bad and a gap stays a gap.
 *
 * State: O(1) a subscription. Drops: none. Errors: RangeError on bad options, when composed; errors of `ticks`.
 *
 * @param ticks the clock, epoch milliseconds; subscribed to after the source.
 * @example
 * readings$.pipe(imputeMissing({ expectedIntervalMs: 1000 }, undefined, clockTicks(250)))
 */
export function imputeMissing(
  options: MissingOptions = {},
  cell = stateCell(missingState),
  ticks: Observable<number> = NEVER,
): Stage<Reading, Reading> {
  const resolved = resolve(options);
  return emittingStage(
    cell,
    resolved,
    { next: missingStep, tick: missingTick, flush: () => undefined },
    ticks,
  );
}

const resolve = resolvedOnce(resolveMissingOptions);
