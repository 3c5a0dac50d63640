import { resolvedOnce } from './options.ts';
import { mapStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { stateCell } from './stateCell.ts';
import { rateState, rateStep, resolveRateOptions } from './steps/rate.ts';
import type { RateOptions } from './steps/rate.ts';
import { withIssue } from './types.ts';
import type { Reading } from './types.ts';

/**
 * Marks readings that change faster than the process can, by source time.
 *
 *     source                       --a--b-----c--|    a 85 degC, b 1 s later 88, c 3 s after b 87
 *     flagRate({ maxRisePerS: 1 })
 *     result                       --a--B-----c--|    B = b, Uncertain, "Rises too fast: 3 per second (allowed: 1), …"
 *
 * A value is compared with the last accepted one and the time since then; after `confirmCount` rejected ones in a row the
 * new level is believed. Bad, missing and imputed readings, and those that orderByTime found late, pass unjudged.
 *
 * State: O(1) a subscription. Drops: none. Errors: RangeError on bad options, when composed.
 *
 * @example
 * readings$.pipe(flagRate({ maxRisePerS: 0.5, maxFallPerS: 0.2, minIntervalMs: 1000 }))
 */
export function flagRate(options: RateOptions, cell = stateCell(rateState)): Stage<Reading, Reading> {
  const resolved = resolve(options);
  return mapStage(cell, resolved, (state, reading: Reading, limits) => {
    if (reading.value === null || reading.quality === 'Bad' || reading.imputed) return reading;
    if (reading.issues.length > 0 && reading.issues.some(isLate)) return reading;
    const issue = rateStep(state, reading.value, reading.timestamp, limits);
    return issue === undefined ? reading : withIssue(reading, 'Uncertain', issue);
  });
}

const isLate = ({ check }: { readonly check: string }): boolean => check === 'order';

const resolve = resolvedOnce(resolveRateOptions);
