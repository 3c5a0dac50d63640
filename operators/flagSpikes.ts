import { resolvedOnce } from './options.ts';
import { mapStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { stateCell } from './stateCell.ts';
import { resolveSpikeOptions, spikeState, spikeStep } from './steps/spike.ts';
import type { SpikeOptions } from './steps/spike.ts';
import { withIssue } from './types.ts';
import type { Reading } from './types.ts';

/**
 * Marks readings that jump further than the process can.
 *
 *     source       --a--b--c--|    a 85 degC, b 120 degC, c 86 degC
 *     flagSpikes()
 *     result       --a--B--c--|    B = b, Uncertain, "Rapid change detected: 41.2% (allowed: 20.0%)"
 *
 * A value is compared with the last accepted one. Bad and missing readings pass unjudged.
 *
 * State: O(1) a subscription. Drops: none. Errors: RangeError on bad options, when composed.
 *
 * @example
 * readings$.pipe(flagSpikes({ maxRelativeChange: 0.1 }))
 */
export function flagSpikes(
  options: SpikeOptions = {},
  cell = stateCell(spikeState),
): Stage<Reading, Reading> {
  const resolved = resolve(options);
  return mapStage(cell, resolved, (state, reading: Reading, limits) => {
    if (reading.value === null || reading.quality === 'Bad') return reading;
    const issue = spikeStep(state, reading.value, limits);
    return issue === undefined ? reading : withIssue(reading, 'Uncertain', issue);
  });
}

const resolve = resolvedOnce(resolveSpikeOptions);
