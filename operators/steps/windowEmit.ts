import { meanOf, runningStats, stdDevOf, timeWeightedMeanOf } from './runningStats.ts';
import type { RunningStats } from './runningStats.ts';
import { firstEndAfter } from './windowOptions.ts';
import type { ResolvedWindowOptions } from './windowOptions.ts';
import { appendPane, firstPaneFrom, summaryOf, valueBefore } from './windowPanes.ts';
import type { WindowState } from './windowState.ts';
import type { WindowAggregate } from '../types.ts';

export type Emit = (window: WindowAggregate) => void;

/** Emits the windows that have readings, with from <= end < before and start < startBefore. */
export function emitWindows(
  state: WindowState,
  from: number,
  before: number,
  startBefore: number,
  options: ResolvedWindowOptions,
  emit: Emit,
): void {
  let end = from;
  let index = firstPaneFrom(state.panes, end - options.sizeMs);
  while (end < before && end - options.sizeMs < startBefore) {
    const windowStart = end - options.sizeMs;
    let pane = state.panes[index];
    while (pane !== undefined && pane.start < windowStart) pane = state.panes[++index];
    if (pane === undefined) return;
    if (pane.start >= end) {
      // A silence, however long, is one step.
      end = firstEndAfter(pane.start, options);
      continue;
    }
    emit(aggregate(state, index, windowStart, options));
    end += options.everyMs;
  }
}

/** The aggregate of the window that starts at `start`, whose first pane with readings is at `index`. */
function aggregate(
  state: WindowState,
  index: number,
  start: number,
  options: ResolvedWindowOptions,
): WindowAggregate {
  const end = start + options.sizeMs;
  let stats: RunningStats | undefined;
  let joined = false;
  let badCount = 0;
  let imputedCount = 0;
  for (let i = index; i < state.panes.length; i += 1) {
    const pane = state.panes[i];
    if (pane === undefined || pane.start >= end) break;
    badCount += pane.badCount;
    imputedCount += pane.imputedCount;
    if (stats === undefined) {
      stats = summaryOf(pane);
    } else {
      if (!joined) stats = { ...stats };
      joined = true;
      appendPane(stats, pane);
    }
  }
  stats ??= runningStats();
  const empty = stats.count === 0;
  // A value at the very start leaves nothing of the window to the one before it.
  const carry = !empty && stats.firstTime === start ? null : valueBefore(state.panes, index, state.carry);
  return {
    asset: state.asset,
    sensor: state.sensor,
    unit: state.unit,
    sizeMs: options.sizeMs,
    everyMs: options.everyMs,
    start,
    end,
    count: stats.count,
    badCount,
    imputedCount,
    mean: meanOf(stats),
    timeWeightedMean: timeWeightedMeanOf(stats, carry, start, end),
    min: empty ? null : stats.min,
    max: empty ? null : stats.max,
    stdDev: stdDevOf(stats),
    first: empty ? null : stats.first,
    last: empty ? null : stats.last,
    revision: options.latenessMs === 0 ? 0 : revisionOf(state, end),
  };
}

/** 0 for a window that was not emitted before. */
function revisionOf(state: WindowState, end: number): number {
  let at = state.emitted.length;
  while (at > 0 && (state.emitted[at - 1]?.end ?? 0) > end) at -= 1;
  const known = state.emitted[at - 1];
  if (known?.end === end) return ++known.revision;
  state.emitted.splice(at, 0, { end, revision: 0 });
  return 0;
}
