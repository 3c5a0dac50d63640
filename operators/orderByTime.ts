import { NEVER } from 'rxjs';
import type { Observable } from 'rxjs';
import { stateCell } from './stateCell.ts';
import { orderFlush, orderState, orderStep, orderTick, resolveOrderOptions } from './steps/order.ts';
import type { OrderOptions, OrderState, ResolvedOrderOptions } from './steps/order.ts';
import { resolvedOnce } from './options.ts';
import { emittingStage } from './stage.ts';
import type { EmittingStep, Stage } from './stage.ts';
import type { Reading } from './types.ts';

/**
 * Puts readings in order of source time within a bound, drops duplicates and marks what comes too late.
 *
 *     source       --1--3--2--4--6--|    source times in seconds
 *     orderByTime({ maxDelayMs: 1000 })
 *     result       -----1--2--3--4--(6|)
 *
 *     source       --1--3--2--3--4--|    the second 3 repeats time and received value
 *     orderByTime()
 *     result       --1--3--L-----4--|    L = 2, Uncertain, "Source time is 1000 ms before that of a reading already passed on"
 *
 * With `maxDelayMs` 0 nothing waits. Otherwise readings wait until one has come that is `maxDelayMs` newer, or until a tick
 * (clock, epoch milliseconds) says that they have waited so long. Completion releases all. A late reading passes at
 * once, marked. `isKnown` is asked about what is older than all that is remembered: a store can answer. A clock that went
 * back for good is believed after `stepBackCount` late readings in a row that ascend.
 *
 * State: O(maxReadings + rememberCount) a subscription. Drops: `duplicate`. Errors: RangeError on bad options, when composed.
 *
 * @example
 * readings$.pipe(orderByTime({ maxDelayMs: 500, onDrop: (reason) => count(reason) }, undefined, clockTicks$))
 */
export function orderByTime(
  options: OrderOptions = {},
  cell = stateCell(orderState),
  ticks: Observable<number> = NEVER,
): Stage<Reading, Reading> {
  const resolved = resolve(options);
  return emittingStage(cell, resolved, STEP, ticks);
}

type Resolved = ResolvedOrderOptions & Pick<OrderOptions, 'onDrop'>;

const STEP: EmittingStep<OrderState, Reading, Reading, Resolved> = {
  next(state, reading, options, emit) {
    const reason = orderStep(state, reading, options, emit);
    if (reason === 'duplicate') options.onDrop?.(reason, reading);
  },
  tick: orderTick,
  flush: (state, _, emit) => orderFlush(state, emit),
};

const resolve = resolvedOnce((options: OrderOptions): Resolved => {
  const { onDrop } = options;
  return { ...resolveOrderOptions(options), ...(onDrop && { onDrop }) };
});
