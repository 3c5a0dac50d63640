import { integerBetween, numberAtLeast } from '../options.ts';
import { withIssue } from '../types.ts';
import type { OnDrop, Reading } from '../types.ts';

export interface OrderOptions {
  /** How long a reading waits for older ones, in milliseconds of source time. >= 0. Default 0: nothing waits. */
  readonly maxDelayMs?: number;
  /** Readings held at most; beyond it the oldest goes early. Integer >= 1. Default 100. */
  readonly maxReadings?: number;
  /** Latest readings among which a duplicate is recognised. Integer >= 0; 0 = off. Default 100. */
  readonly rememberCount?: number;
  /** Late readings in a row, ascending among themselves, after which a clock that went back is believed. Integer >= 1; null = never. Default 5. */
  readonly stepBackCount?: number | null;
  /**
   * Late readings whose source times advance so many times faster than the clock at which they arrive are history that is
   * being sent, and no sign of a clock set back. >= 1; null = not looked at. Default null. Needs times of arrival.
   */
  readonly stepBackMaxPace?: number | null;
  /** Told of every duplicate. */
  readonly onDrop?: OnDrop;
  /**
   * Asked about a reading that is older than what is remembered, and about the first one: whether it was taken in before.
   * null: not known yet, and the reading is put off; it leaves no trace, and is expected again once there is an answer.
   * Default: what is not remembered is new. Not asked where `rememberCount` is 0.
   */
  readonly isKnown?: (reading: Reading) => boolean | null;
}

export type ResolvedOrderOptions = Required<Omit<OrderOptions, 'onDrop' | 'isKnown'>> &
  Pick<OrderOptions, 'isKnown'>;

export interface OrderState {
  /** False before the first reading; the times below count from then on. */
  started: boolean;
  /** Largest source time seen, in the time base that is believed. */
  largest: number;
  /** Source time of the last reading passed on in order; -Number.MAX_VALUE before the first. */
  released: number;
  /** Late readings in a row that ascend, the time of the last of them, and times and arrival of the first. */
  lateCount: number;
  lateTimestamp: number;
  lateSince: number;
  lateArrivedAt: number;
  /** Waiting readings by source time, equal times by arrival. */
  held: Reading[];
  /** Ring of what was seen last: times and received values; `next` is the slot to overwrite. */
  times: number[];
  values: (number | null)[];
  next: number;
  /** Largest source time that has left the ring: whatever is newer and not in it was never seen. */
  forgotten: number;
}

export const orderState = (): OrderState => ({
  started: false,
  largest: 0,
  released: -Number.MAX_VALUE,
  lateCount: 0,
  lateTimestamp: 0,
  lateSince: 0,
  lateArrivedAt: 0,
  held: [],
  times: [],
  values: [],
  next: 0,
  forgotten: -Number.MAX_VALUE,
});

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveOrderOptions(options: OrderOptions): ResolvedOrderOptions {
  const stepBackCount = options.stepBackCount === undefined ? 5 : options.stepBackCount;
  return {
    maxDelayMs: numberAtLeast('maxDelayMs', options.maxDelayMs ?? 0, 0),
    maxReadings: integerBetween('maxReadings', options.maxReadings ?? 100, 1),
    rememberCount: integerBetween('rememberCount', options.rememberCount ?? 100, 0),
    stepBackCount: stepBackCount === null ? null : integerBetween('stepBackCount', stepBackCount, 1),
    stepBackMaxPace:
      options.stepBackMaxPace === undefined || options.stepBackMaxPace === null
        ? null
        : numberAtLeast('stepBackMaxPace', options.stepBackMaxPace, 1),
    ...(options.isKnown && { isKnown: options.isKnown }),
  };
}

/**
 * Takes one reading; hands everything that may go on to `emit`, in order of source time.
 * O(1) for a reading newer than all before it; O(rememberCount + held) for others.
 * @returns 'duplicate' where the reading is dropped, 'putOff' where `isKnown` has no answer yet.
 */
export function orderStep(
  state: OrderState,
  reading: Reading,
  options: ResolvedOrderOptions,
  emit: (reading: Reading) => void,
): 'duplicate' | 'putOff' | undefined {
  const timestamp = reading.timestamp;
  const raw = reading.received === null ? reading.value : reading.received.value;
  // Only a reading that is not newer than all others can repeat one of them.
  if (!state.started || timestamp <= state.largest) {
    if (isRemembered(state, timestamp, raw)) return 'duplicate';
    if (!state.started || timestamp <= state.forgotten) {
      const known = options.rememberCount > 0 ? options.isKnown?.(reading) : false;
      if (known === null) return 'putOff';
      if (known === true) return 'duplicate';
    }
  }
  if (!state.started) {
    state.started = true;
    // What an earlier run may have taken in is not in this ring.
    if (options.isKnown !== undefined) state.forgotten = timestamp;
    state.largest = timestamp;
  } else if (timestamp > state.largest) {
    state.largest = timestamp;
  }
  remember(state, timestamp, raw, options.rememberCount);
  if (timestamp < state.released) {
    passLate(state, reading, options, emit);
    return undefined;
  }
  state.lateCount = 0;
  if (options.maxDelayMs === 0 && state.held.length === 0) {
    state.released = timestamp;
    emit(reading);
    return undefined;
  }
  hold(state.held, reading);
  const watermark = state.largest - options.maxDelayMs;
  for (
    let oldest = state.held[0];
    oldest !== undefined && (oldest.timestamp <= watermark || state.held.length > options.maxReadings);
    oldest = state.held[0]
  ) {
    releaseOldest(state, emit);
  }
  return undefined;
}

/** Releases what has waited for maxDelayMs by the clock, with everything older; `now` in epoch milliseconds. */
export function orderTick(
  state: OrderState,
  now: number,
  options: ResolvedOrderOptions,
  emit: (reading: Reading) => void,
): void {
  const due = state.held.findLastIndex(
    (reading) => now - (reading.received?.arrivedAt ?? reading.timestamp) >= options.maxDelayMs,
  );
  for (let i = 0; i <= due; i += 1) releaseOldest(state, emit);
}

/** Releases everything. */
export function orderFlush(state: OrderState, emit: (reading: Reading) => void): void {
  while (state.held.length > 0) releaseOldest(state, emit);
}

function passLate(
  state: OrderState,
  reading: Reading,
  options: ResolvedOrderOptions,
  emit: (reading: Reading) => void,
): void {
  const timestamp = reading.timestamp;
  const behind = state.released - timestamp;
  const message = `Source time is ${behind} ms before that of a reading already passed on`;
  if (reading.received?.backfilled === true) {
    emit(withIssue(reading, 'Uncertain', { check: 'order', message }));
    return;
  }
  const arrivedAt = reading.received?.arrivedAt ?? timestamp;
  if (state.lateCount > 0 && timestamp > state.lateTimestamp) {
    state.lateCount += 1;
  } else {
    state.lateCount = 1;
    state.lateSince = timestamp;
    state.lateArrivedAt = arrivedAt;
  }
  state.lateTimestamp = timestamp;
  if (isSetBack(state, timestamp, arrivedAt, options)) {
    // What is held belongs to the time base that ends here.
    orderFlush(state, emit);
    state.lateCount = 0;
    state.largest = timestamp;
    state.released = timestamp;
  }
  emit(withIssue(reading, 'Uncertain', { check: 'order', message }));
}

function isSetBack(
  state: OrderState,
  timestamp: number,
  arrivedAt: number,
  { stepBackCount, stepBackMaxPace }: ResolvedOrderOptions,
): boolean {
  if (stepBackCount === null || state.lateCount < stepBackCount) return false;
  if (stepBackMaxPace === null) return true;
  return timestamp - state.lateSince <= stepBackMaxPace * (arrivedAt - state.lateArrivedAt);
}

function releaseOldest(state: OrderState, emit: (reading: Reading) => void): void {
  const reading = state.held.shift();
  if (reading === undefined) return;
  state.released = reading.timestamp;
  emit(reading);
}

/** Behind all that are not newer, so that equal times keep their order of arrival. */
function hold(held: Reading[], reading: Reading): void {
  const behind = held.findLastIndex((other) => other.timestamp <= reading.timestamp);
  if (behind === held.length - 1) held.push(reading);
  else held.splice(behind + 1, 0, reading);
}

function isRemembered(state: OrderState, timestamp: number, raw: number | null): boolean {
  const { times, values } = state;
  for (let i = 0; i < times.length; i += 1) {
    if (times[i] === timestamp && values[i] === raw) return true;
  }
  return false;
}

function remember(state: OrderState, timestamp: number, raw: number | null, rememberCount: number): void {
  if (state.times.length !== rememberCount && (state.next > 0 || state.times.length > rememberCount))
    straighten(state, rememberCount);
  if (state.times.length < rememberCount) {
    state.times.push(timestamp);
    state.values.push(raw);
    if (state.times.length === rememberCount) trim(state);
  } else if (rememberCount > 0) {
    state.forgotten = Math.max(state.forgotten, state.times[state.next] ?? -Number.MAX_VALUE);
    state.times[state.next] = timestamp;
    state.values[state.next] = raw;
    state.next = state.next + 1 >= rememberCount ? 0 : state.next + 1;
  }
}

/** A restored ring may be of another size: from its oldest slot to its newest, and no longer than it may be now. */
function straighten(state: OrderState, rememberCount: number): void {
  const { times, values, next } = state;
  const excess = Math.max(0, times.length - rememberCount);
  const inOrder = [...times.slice(next), ...times.slice(0, next)];
  for (const timestamp of inOrder.slice(0, excess)) state.forgotten = Math.max(state.forgotten, timestamp);
  state.times = inOrder.slice(excess);
  state.values = [...values.slice(next), ...values.slice(0, next)].slice(excess);
  state.next = 0;
}

/** A full ring grows no more: an exact copy gives back the room that growing arrays keep in reserve. */
function trim(state: OrderState): void {
  state.times = state.times.slice();
  state.values = state.values.slice();
}
