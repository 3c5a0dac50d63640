import { addEarlierValue, addValue, appendStats, runningStats, statsOfOne } from './runningStats.ts';
import type { RunningStats } from './runningStats.ts';

/** The readings of one pane, [start, start + paneMs): windows are made of whole panes. */
export interface Pane {
  start: number;
  badCount: number;
  imputedCount: number;
  /** The oldest values, no longer kept one by one; null where there are none. */
  folded: RunningStats | null;
  /** The others: time, value, time, value ... by time, equal times by arrival. */
  samples: number[];
  /** Statistics of `folded` and `samples`, made when first asked for. */
  summary: RunningStats | null;
}

export const newPane = (start: number): Pane => ({
  start,
  badCount: 0,
  imputedCount: 0,
  folded: null,
  samples: [],
  summary: null,
});

/** Statistics of the pane; not to be changed. */
export function summaryOf(pane: Pane): RunningStats {
  if (pane.summary !== null) return pane.summary;
  const timestamp = pane.samples[0];
  const value = pane.samples[1];
  const single = pane.folded === null && timestamp !== undefined && value !== undefined;
  const stats = single ? statsOfOne(timestamp, value) : { ...(pane.folded ?? runningStats()) };
  // Not worth keeping for one value.
  if (single && pane.samples.length === 2) return stats;
  addSamples(stats, pane.samples, single ? 2 : 0, pane.samples.length);
  pane.summary = stats;
  return stats;
}

/** Appends the pane's values to statistics of the panes before it. */
export function appendPane(stats: RunningStats, pane: Pane): void {
  if (pane.folded === null && pane.samples.length <= 2)
    addSamples(stats, pane.samples, 0, pane.samples.length);
  else appendStats(stats, summaryOf(pane));
}

/**
 * Puts a finite value in its place in time.
 * @returns true where it is kept as a sample, false where it is older than what is folded and is folded, too.
 */
export function placeValue(pane: Pane, timestamp: number, value: number): boolean {
  const samples = pane.samples;
  pane.summary = null;
  if (samples.length === 0 && pane.folded === null) {
    // Of the very size: many panes never see a second value.
    pane.samples = [timestamp, value];
    return true;
  }
  if (timestamp >= (samples[samples.length - 2] ?? pane.folded?.lastTime ?? 0)) {
    samples.push(timestamp, value);
    return true;
  }
  if (pane.folded !== null && timestamp < pane.folded.lastTime) {
    addEarlierValue(pane.folded, timestamp, value);
    return false;
  }
  let at = samples.length;
  while (at > 0 && (samples[at - 2] ?? 0) > timestamp) at -= 2;
  samples.splice(at, 0, timestamp, value);
  return true;
}

/** Folds the oldest half of the pane's samples, or all of them. @returns how many. */
export function foldSamples(pane: Pane, all: boolean): number {
  const count = all ? pane.samples.length / 2 : Math.ceil(pane.samples.length / 4);
  pane.folded ??= runningStats();
  addSamples(pane.folded, pane.samples, 0, 2 * count);
  pane.samples.splice(0, 2 * count);
  return count;
}

/** Index of the first pane that starts at `start` or later. */
export function firstPaneFrom(panes: readonly Pane[], start: number): number {
  let low = 0;
  let high = panes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((panes[middle]?.start ?? Infinity) < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The pane that starts at `start`, made where there is none. */
export function paneAt(panes: Pane[], start: number): Pane {
  const newest = panes[panes.length - 1];
  if (newest === undefined || start > newest.start) {
    const pane = newPane(start);
    panes.push(pane);
    return pane;
  }
  const index = firstPaneFrom(panes, start);
  const found = panes[index];
  if (found?.start === start) return found;
  const pane = newPane(start);
  panes.splice(index, 0, pane);
  return pane;
}

/** The last value before the panes from `index` on, or `carry` where no pane before has one. */
export function valueBefore(panes: readonly Pane[], index: number, carry: number | null): number | null {
  for (let i = index - 1; i >= 0; i -= 1) {
    const pane = panes[i];
    const last = pane?.samples[pane.samples.length - 1] ?? pane?.folded?.last;
    if (last !== undefined) return last;
  }
  return carry;
}

/** Whether anything but Bad or missing readings is in the pane. */
export const hasValues = (pane: Pane): boolean => pane.samples.length > 0 || pane.folded !== null;

function addSamples(stats: RunningStats, samples: readonly number[], from: number, to: number): void {
  for (let i = from; i + 1 < to; i += 2) addValue(stats, samples[i] ?? 0, samples[i + 1] ?? 0);
}
