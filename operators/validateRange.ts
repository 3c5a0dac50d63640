import { resolvedOnce } from './options.ts';
import { mapStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { stateCell } from './stateCell.ts';
import { rangeStep, resolveRangeOptions } from './steps/range.ts';
import type { RangeOptions } from './steps/range.ts';
import { withIssue } from './types.ts';
import type { Reading } from './types.ts';

/**
 * Marks readings that are physically impossible.
 *
 *     source                                --a--b--c--|    a 85 degC, b 500 degC, c 400 degC
 *     validateRange({ min: -50, max: 400 })
 *     result                                --a--B--c--|    B = b, Bad, "Out of range: 500 degC (allowed: -50 to 400 degC)"
 *
 * The limits themselves are still inside. Bad and missing readings pass unjudged.
 *
 * State: none. Drops: none. Errors: RangeError on bad options, when composed.
 *
 * @example
 * readings$.pipe(validateRange({ min: 0, max: 10 }))
 */
export function validateRange(options: RangeOptions): Stage<Reading, Reading> {
  const resolved = resolve(options);
  return mapStage(
    stateCell(() => null),
    resolved,
    (_, reading: Reading, limits) => {
      if (reading.value === null || reading.quality === 'Bad') return reading;
      const issue = rangeStep(reading.value, reading.unit, limits);
      return issue === undefined ? reading : withIssue(reading, 'Bad', issue);
    },
  );
}

const resolve = resolvedOnce(resolveRangeOptions);
