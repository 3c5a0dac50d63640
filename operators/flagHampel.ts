import { resolvedOnce } from './options.ts';
import { mapStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { stateCell } from './stateCell.ts';
import { fitHampelState, hampelState, hampelStep, resolveHampelOptions } from './steps/hampel.ts';
import type { HampelOptions } from './steps/hampel.ts';
import { withIssue } from './types.ts';
import type { Reading } from './types.ts';

/**
 * Marks readings that stand out from the ones before them, by median and median absolute deviation (MAD).
 *
 *     source          --a--a--…--b--a--|    a 85 degC with a MAD of 0.5, b 90 degC
 *     flagHampel()
 *     result          --a--a--…--B--a--|    B = b, Uncertain, "Outlier: 6.74 robust standard deviations from …"
 *
 * Like flagOutliers, but outliers that got into the baseline move neither its centre nor its spread, as long as they are
 * less than half of it. Outliers stay out of the baseline; after `confirmCount` in a row the new level is believed and
 * the baseline starts again from them. Bad, missing and imputed readings pass unjudged.
 *
 * State: O(windowSize) a subscription. Drops: none. Errors: RangeError on bad options, when composed.
 *
 * @example
 * readings$.pipe(flagHampel({ windowSize: 30, threshold: 5, stdDevFloor: 0.1 }))
 */
export function flagHampel(
  options: HampelOptions = {},
  cell = stateCell(hampelState),
): Stage<Reading, Reading> {
  const resolved = resolve(options);
  const fitted = stateCell(() => {
    const state = cell.open();
    fitHampelState(state, resolved);
    return state;
  });
  return mapStage(fitted, resolved, (state, reading: Reading, limits) => {
    if (reading.value === null || reading.quality === 'Bad' || reading.imputed) return reading;
    const issue = hampelStep(state, reading.value, limits);
    return issue === undefined ? reading : withIssue(reading, 'Uncertain', issue);
  });
}

const resolve = resolvedOnce(resolveHampelOptions);
