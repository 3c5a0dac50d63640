import {
  clearWindow,
  countBelow,
  fitWindow,
  hampelWindow,
  medianDistance,
  pushWindow,
  windowCount,
  windowMedian,
} from './hampelWindow.ts';
import type { HampelWindow } from './hampelWindow.ts';
import {
  countBelowSorted,
  pushSorted,
  sortedMedian,
  sortedMedianDistance,
  sortedWindow,
} from './sortedWindow.ts';
import type { SortedWindow } from './sortedWindow.ts';

/** The accepted values: in a list while they are few, in a tree where they are many. Both give the very same figures. */
export type HampelBaseline = HampelWindow | SortedWindow;

/** Largest window that is kept as a list. */
export const MAX_SORTED = 256;

const isSorted = (baseline: HampelBaseline): baseline is SortedWindow => 'sorted' in baseline;

export const baselineCount = (baseline: HampelBaseline): number =>
  isSorted(baseline) ? baseline.sorted.length : windowCount(baseline);

export const baselineMedian = (baseline: HampelBaseline): number =>
  isSorted(baseline) ? sortedMedian(baseline) : windowMedian(baseline);

export const baselineMedianDistance = (baseline: HampelBaseline, centre: number): number =>
  isSorted(baseline) ? sortedMedianDistance(baseline, centre) : medianDistance(baseline, centre);

export const baselineCountBelow = (baseline: HampelBaseline, limit: number): number =>
  isSorted(baseline) ? countBelowSorted(baseline, limit) : countBelow(baseline, limit);

/** Takes in one finite value; the oldest leaves a full window. */
export function pushBaseline(baseline: HampelBaseline, value: number, size: number): void {
  if (isSorted(baseline)) pushSorted(baseline, value, size);
  else pushWindow(baseline, value, size);
}

/** Forgets all values. */
export function clearBaseline(baseline: HampelBaseline): void {
  if (isSorted(baseline)) Object.assign(baseline, sortedWindow());
  else clearWindow(baseline);
}

/** The baseline as it has to be for this size, with its newest values; itself where it is. */
export function fittedBaseline(baseline: HampelBaseline, size: number): HampelBaseline {
  if (size > MAX_SORTED) {
    const tree = isSorted(baseline) ? filled(hampelWindow(), inOrder(baseline), size) : baseline;
    fitWindow(tree, size);
    return tree;
  }
  if (isSorted(baseline)) {
    const { ring, next } = baseline;
    if (ring.length === size ? next < size : ring.length < size && next === ring.length) return baseline;
  }
  return filled(sortedWindow(), inOrder(baseline), size);
}

/** The values, oldest first. */
function inOrder(baseline: HampelBaseline): number[] {
  const [values, first] = isSorted(baseline) ? [baseline.ring, 0] : [baseline.values, 1];
  return [...values.slice(baseline.next), ...values.slice(first, baseline.next)];
}

function filled<B extends HampelBaseline>(baseline: B, values: readonly number[], size: number): B {
  for (const value of values.slice(-size)) pushBaseline(baseline, value, size);
  return baseline;
}
