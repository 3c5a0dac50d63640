import { defer, map } from 'rxjs';
import type { MonoTypeOperatorFunction } from 'rxjs';
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
): MonoTypeOperatorFunction<Reading> {
  const resolved = resolveSpikeOptions(options);
  return (source) =>
    defer(() => {
      const state = cell.open();
      return source.pipe(
        map((reading) => {
          if (reading.value === null || reading.quality === 'Bad') return reading;
          const issue = spikeStep(state, reading.value, resolved);
          return issue === undefined ? reading : withIssue(reading, 'Uncertain', issue);
        }),
      );
    });
}
