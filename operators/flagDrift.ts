import { resolvedOnce } from './options.ts';
import { mapStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { stateCell } from './stateCell.ts';
import { driftState, driftStep } from './steps/drift.ts';
import { resolveDriftOptions } from './steps/driftOptions.ts';
import type { DriftOptions } from './steps/driftOptions.ts';
import { withIssue } from './types.ts';
import type { Reading } from './types.ts';

/**
 * Marks readings of a sensor whose level has moved slowly, or by less than a single reading could show.
 *
 *     source         --a--b--…--c--d--|    around 85 degC with a standard deviation of 0.5, from b on around 85.5
 *     flagDrift()
 *     result         --a--b--…--C--D--|    C = c, Uncertain, "Drifts up: cumulative sum 10.6 standard deviations …"
 *
 * The reference is configured, or learned from the first readings. The alarm lasts while the drift does; a new level is
 * believed only where `confirmCount` says so. Bad, missing and imputed readings, and those that orderByTime found late,
 * pass unjudged.
 *
 * State: O(1) a subscription, O(learnCount) while it learns. Drops: none. Errors: RangeError on bad options, when composed.
 *
 * @example
 * readings$.pipe(flagDrift({ method: 'ewma', readingsPerFalseAlarm: 1e6 }))
 */
export function flagDrift(options: DriftOptions = {}, cell = stateCell(driftState)): Stage<Reading, Reading> {
  const resolved = resolve(options);
  return mapStage(cell, resolved, (state, reading: Reading, limits) => {
    if (reading.value === null || reading.quality === 'Bad' || reading.imputed) return reading;
    if (reading.issues.length > 0 && reading.issues.some(isLate)) return reading;
    const issue = driftStep(state, reading.value, limits);
    return issue === undefined ? reading : withIssue(reading, 'Uncertain', issue);
  });
}

const isLate = ({ check }: { readonly check: string }): boolean => check === 'order';

const resolve = resolvedOnce(resolveDriftOptions);
