import { resolvedOnce } from './options.ts';
import { mapStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { stateCell } from './stateCell.ts';
import { resolveStuckOptions, stuckState, stuckStep } from './steps/stuck.ts';
import type { StuckOptions } from './steps/stuck.ts';
import { withIssue } from './types.ts';
import type { Reading } from './types.ts';

/**
 * Marks readings of a sensor that has stopped following its process.
 *
 *     source                                             --a--a--a--a--b--|    one reading a second
 *     flagStuck({ maxDurationMs: 2000, minCount: 3 })
 *     result                                             --a--a--A--A--b--|    A = a, Uncertain, "Stuck at 85 for 2 s …"
 *
 * The value must have stayed within `tolerance` of the first of the run for `maxDurationMs` of source time and for
 * `minCount` readings. Bad and missing readings pass unjudged and do not end a run.
 *
 * State: O(1) a subscription. Drops: none. Errors: RangeError on bad options, when composed.
 *
 * @example
 * readings$.pipe(flagStuck({ maxDurationMs: 60_000, tolerance: 0.001 }))
 */
export function flagStuck(options: StuckOptions, cell = stateCell(stuckState)): Stage<Reading, Reading> {
  const resolved = resolve(options);
  return mapStage(cell, resolved, (state, reading: Reading, limits) => {
    if (reading.value === null || reading.quality === 'Bad') return reading;
    const issue = stuckStep(state, reading.value, reading.timestamp, limits);
    return issue === undefined ? reading : withIssue(reading, 'Uncertain', issue);
  });
}

const resolve = resolvedOnce(resolveStuckOptions);
