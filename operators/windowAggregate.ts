import { NEVER } from 'rxjs';
import type { Observable } from 'rxjs';
import { stateCell } from './stateCell.ts';
import { resolveWindowOptions, windowFlush, windowState, windowStep, windowTick } from './steps/window.ts';
import type { ResolvedWindowOptions, WindowOptions, WindowState } from './steps/window.ts';
import { resolvedOnce } from './options.ts';
import { emittingStage } from './stage.ts';
import type { EmittingStep, Stage } from './stage.ts';
import type { Reading, WindowAggregate } from './types.ts';

/**
 * Aggregates one sensor over windows of event time: [start, end), aligned to the epoch.
 *
 *     source       --a--b--c--d--|    source times 0.1, 0.6, 1.2 and 2.3 s
 *     windowAggregate({ sizeMs: 1000 })
 *     result       --------A--B--(C|)    A = [0 s, 1 s) of a and b, B = [1 s, 2 s) of c, C = [2 s, 3 s) of d
 *
 * A window is emitted once the largest source time has reached its end, and anew with `revision` + 1 for each
 * reading that changes it and is no more than `latenessMs` behind. Windows without any reading are not emitted.
 * Where no reading has come for `idleTimeoutMs`, ticks (clock, epoch milliseconds) close what is due. Completion
 * emits open windows that have readings.
 *
 * State: at most `maxSamples` values, and a fixed size for each pane of the greatest common divisor of sizeMs and
 * everyMs within sizeMs + latenessMs. Drops: `lateForWindow` (not aggregated).
 * Errors: RangeError on bad options, when composed.
 *
 * @example
 * readings$.pipe(windowAggregate({ sizeMs: 60_000, everyMs: 10_000, latenessMs: 5000 }))
 */
export function windowAggregate(
  options: WindowOptions,
  cell = stateCell(windowState),
  ticks: Observable<number> = NEVER,
): Stage<Reading, WindowAggregate> {
  const resolved = resolve(options);
  return emittingStage(cell, resolved, STEP, ticks);
}

type Resolved = ResolvedWindowOptions & Pick<WindowOptions, 'onDrop'>;

const STEP: EmittingStep<WindowState, Reading, WindowAggregate, Resolved> = {
  next(state, reading, options, emit) {
    const reason = windowStep(state, reading, options, emit);
    if (reason !== undefined) options.onDrop?.(reason, reading);
  },
  tick: windowTick,
  flush: windowFlush,
};

const resolve = resolvedOnce((options: WindowOptions): Resolved => {
  const { onDrop } = options;
  return { ...resolveWindowOptions(options), ...(onDrop && { onDrop }) };
});
