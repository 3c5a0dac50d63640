import { resolvedOnce } from './options.ts';
import { mapStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { stateCell } from './stateCell.ts';
import { fitOutlierState, outlierState, outlierStep, resolveOutlierOptions } from './steps/outlier.ts';
import type { OutlierOptions } from './steps/outlier.ts';
import { withIssue } from './types.ts';
import type { Reading } from './types.ts';

/**
 * Marks readings that stand out from the ones before them, by z-score.
 *
 *     source          --a--a--…--b--a--|    a 85 degC with a standard deviation of 0.5, b 88 degC
 *     flagOutliers()
 *     result          --a--a--…--B--a--|    B = b, Uncertain, "Outlier: z-score 6.00 (allowed: 3), mean 85, …"
 *
 * A value is judged against the accepted values before it. Outliers stay out of that baseline, but after
 * `confirmCount` in a row the new level is believed and the baseline starts again from them. Bad and missing
 * readings pass unjudged.
 *
 * State: O(windowSize) a subscription. Drops: none. Errors: RangeError on bad options, when composed.
 *
 * @example
 * readings$.pipe(flagOutliers({ windowSize: 60, threshold: 4 }))
 */
export function flagOutliers(
  options: OutlierOptions = {},
  cell = stateCell(outlierState),
): Stage<Reading, Reading> {
  const resolved = resolve(options);
  const fitted = stateCell(() => {
    const state = cell.open();
    fitOutlierState(state, resolved);
    return state;
  });
  return mapStage(fitted, resolved, (state, reading: Reading, limits) => {
    if (reading.value === null || reading.quality === 'Bad') return reading;
    const issue = outlierStep(state, reading.value, limits);
    return issue === undefined ? reading : withIssue(reading, 'Uncertain', issue);
  });
}

const resolve = resolvedOnce(resolveOutlierOptions);
