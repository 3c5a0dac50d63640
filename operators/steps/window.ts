import { emitWindows } from './windowEmit.ts';
import type { Emit } from './windowEmit.ts';
import { alignedAtOrBefore, firstEndAfter, paneStart } from './windowOptions.ts';
import type { ResolvedWindowOptions } from './windowOptions.ts';
import {
  firstPaneFrom,
  foldSamples,
  hasValues,
  newPane,
  paneAt,
  placeValue,
  summaryOf,
  valueBefore,
} from './windowPanes.ts';
import type { Pane } from './windowPanes.ts';
import type { WindowState } from './windowState.ts';
import type { Reading } from '../types.ts';

export { resolveWindowOptions } from './windowOptions.ts';
export type { ResolvedWindowOptions, WindowOptions } from './windowOptions.ts';
export { windowState } from './windowState.ts';
export type { WindowState } from './windowState.ts';

/** Beyond it numbers no longer tell milliseconds apart; the range of Date. */
const MAX_TIME = 8.64e15;

/**
 * Takes one reading; hands windows that it closes or changes to `emit`.
 * O(1) for a reading in order that closes nothing.
 * @returns 'lateForWindow' where it is too late for all of its windows and is not aggregated.
 */
export function windowStep(
  state: WindowState,
  reading: Reading,
  options: ResolvedWindowOptions,
  emit: Emit,
): 'lateForWindow' | undefined {
  const timestamp = reading.timestamp;
  if (!(Math.abs(timestamp) <= MAX_TIME)) return 'lateForWindow';
  if (!state.started) start(state, timestamp, options);
  state.asset = reading.asset;
  state.sensor = reading.sensor;
  state.unit = reading.unit;
  state.arrivedAt = reading.received === null ? timestamp : reading.received.arrivedAt;
  if (timestamp > state.largest) state.largest = timestamp;
  if (timestamp >= state.watermark) {
    advance(state, timestamp, options, emit);
    place(state, paneFor(state, timestamp, options), reading, options);
    return undefined;
  }
  const newestEnd = newestEndWith(timestamp, options);
  if (newestEnd !== null && newestEnd + options.latenessMs <= state.watermark) return 'lateForWindow';
  // Between windows, where everyMs > sizeMs, and too old to be the value in force at the start of a later one.
  if (paneStart(timestamp, options) < state.keepFrom) return undefined;
  const pane = paneFor(state, timestamp, options);
  const until = options.latenessMs > 0 ? heldUntil(state, pane, reading) : timestamp;
  place(state, pane, reading, options);
  if (options.latenessMs > 0) revise(state, pane, timestamp, until, options, emit);
  return undefined;
}

/** Lets event time go on with the clock (`now`, epoch milliseconds) where no reading has come for idleTimeoutMs. */
export function windowTick(
  state: WindowState,
  now: number,
  options: ResolvedWindowOptions,
  emit: Emit,
): void {
  const idleMs = now - state.arrivedAt;
  if (!state.started || idleMs < options.idleTimeoutMs) return;
  const watermark = Math.min(state.largest + idleMs, MAX_TIME);
  if (watermark > state.watermark) advance(state, watermark, options, emit);
}

/** Closes every window that has readings. */
export function windowFlush(state: WindowState, options: ResolvedWindowOptions, emit: Emit): void {
  const newest = state.panes[state.panes.length - 1];
  if (newest !== undefined)
    advance(state, Math.max(state.watermark, newest.start + options.sizeMs), options, emit);
}

function start(state: WindowState, timestamp: number, options: ResolvedWindowOptions): void {
  state.started = true;
  state.watermark = timestamp;
  state.largest = timestamp;
  state.nextEnd = firstEndAfter(timestamp, options);
  // A reading before the first may be in a window that is still open, or within the lateness.
  state.keepFrom = oldestKept(timestamp, options);
}

function advance(state: WindowState, watermark: number, options: ResolvedWindowOptions, emit: Emit): void {
  state.watermark = watermark;
  if (watermark < state.nextEnd) return;
  const from = state.nextEnd;
  state.nextEnd = firstEndAfter(watermark, options);
  emitWindows(state, from, state.nextEnd, Infinity, options, emit);
  forget(state, options);
}

/** Emits anew what a late reading in `pane`, in force until `until`, has changed among the closed windows. */
function revise(
  state: WindowState,
  pane: Pane,
  timestamp: number,
  until: number,
  options: ResolvedWindowOptions,
  emit: Emit,
): void {
  const from = firstEndAfter(Math.max(timestamp, state.watermark - options.latenessMs), options);
  if (from >= state.nextEnd) return;
  emitWindows(state, from, state.nextEnd, Math.max(until, pane.start + 1), options, emit);
}

/** Up to where a reading, not yet placed, changes the value in force: later windows may start with it. */
function heldUntil(state: WindowState, pane: Pane, reading: Reading): number {
  const timestamp = reading.timestamp;
  if (!isAggregated(reading)) return timestamp;
  const filled = hasValues(pane);
  if (filled && summaryOf(pane).lastTime > timestamp) return timestamp;
  const index = firstPaneFrom(state.panes, pane.start);
  const before = filled ? summaryOf(pane).last : valueBefore(state.panes, index, state.carry);
  if (before === reading.value) return timestamp;
  for (let i = index + 1; i < state.panes.length; i += 1) {
    const later = state.panes[i];
    if (later !== undefined && hasValues(later)) return summaryOf(later).firstTime;
  }
  return Infinity;
}

const isAggregated = (reading: Reading): boolean => reading.value !== null && reading.quality !== 'Bad';

function paneFor(state: WindowState, timestamp: number, options: ResolvedWindowOptions): Pane {
  const { panes } = state;
  // Not at the index -1 of an empty list, after which every look at it would be slow.
  const newest = panes.length === 0 ? undefined : panes[panes.length - 1];
  if (newest !== undefined && timestamp >= newest.start && timestamp < newest.start + options.paneMs)
    return newest;
  const start = paneStart(timestamp, options);
  if (newest !== undefined) return paneAt(panes, start);
  const pane = newPane(start);
  state.panes = [pane];
  return pane;
}

function place(state: WindowState, pane: Pane, reading: Reading, options: ResolvedWindowOptions): void {
  if (reading.value === null || reading.quality === 'Bad') {
    pane.badCount += 1;
    return;
  }
  if (reading.imputed) pane.imputedCount += 1;
  // Adding 0 makes -0 a 0, which JSON would do as well.
  if (!placeValue(pane, reading.timestamp, reading.value + 0)) return;
  state.sampleCount += 1;
  if (pane.start < state.foldFrom) state.foldFrom = pane.start;
  if (state.sampleCount <= options.maxSamples) return;
  foldOldest(state);
}

/** Makes room by no longer keeping the oldest samples one by one. */
function foldOldest(state: WindowState): void {
  for (let i = firstPaneFrom(state.panes, state.foldFrom); i < state.panes.length; i += 1) {
    const pane = state.panes[i];
    if (pane === undefined || pane.samples.length === 0) continue;
    state.foldFrom = pane.start;
    state.sampleCount -= foldSamples(pane, i < state.panes.length - 1);
    return;
  }
}

/** Lets go of panes and revisions that no window can need any more. */
function forget(state: WindowState, options: ResolvedWindowOptions): void {
  state.keepFrom = oldestKept(state.watermark, options);
  const gone = firstPaneFrom(state.panes, state.keepFrom);
  if (gone > 0) state.carry = valueBefore(state.panes, gone, state.carry);
  if (gone === state.panes.length) {
    state.panes = [];
    state.sampleCount = 0;
  } else if (gone > 0) {
    for (const pane of state.panes.splice(0, gone)) state.sampleCount -= pane.samples.length / 2;
  }
  const expired = state.watermark - options.latenessMs;
  while ((state.emitted[0]?.end ?? Infinity) <= expired) state.emitted.shift();
}

/** Start of the first pane that a reading may still change, or that is being filled. */
const oldestKept = (watermark: number, options: ResolvedWindowOptions): number =>
  Math.min(
    firstEndAfter(watermark - options.latenessMs, options) - options.sizeMs,
    paneStart(watermark, options),
  );

/** End of the newest window that holds `time`; null between windows. */
function newestEndWith(time: number, { sizeMs, everyMs, offsetMs }: ResolvedWindowOptions): number | null {
  const end = alignedAtOrBefore(time, everyMs, offsetMs) + sizeMs;
  return end > time ? end : null;
}
