import { medianOfDistances, middle } from './hampelWindow.ts';

/**
 * The last values in order of arrival and, in a second list, in order of size. A value comes or goes by moving those between
 * its place and that of the one it replaces: O(n), but up to some hundred values, which lie side by side in memory, that
 * takes less than finding the way through a tree.
 */
export interface SortedWindow {
  /** While it grows, oldest first; once full, the oldest is at `next`. */
  ring: number[];
  next: number;
  sorted: number[];
}

export const sortedWindow = (): SortedWindow => ({ ring: [], next: 0, sorted: [] });

/** Takes in one finite value; the oldest leaves a full window. `size`: the same for every push. */
export function pushSorted(window: SortedWindow, value: number, size: number): void {
  const x = value + 0; // -0 becomes 0, because JSON does not know it
  const { ring, next, sorted } = window;
  let at = sorted.length;
  if (ring.length < size) {
    ring.push(x);
    sorted.push(x);
  } else {
    at = countBelowSorted(window, ring[next] ?? 0);
    ring[next] = x;
  }
  const last = sorted.length - 1;
  // Never an index beyond the ends: a single one makes all reads of the list slow from then on.
  while (at < last) {
    const above = sorted[at + 1] ?? 0;
    if (above >= x) break;
    sorted[at++] = above;
  }
  while (at > 0) {
    const below = sorted[at - 1] ?? 0;
    if (below <= x) break;
    sorted[at--] = below;
  }
  sorted[at] = x;
  window.next = next + 1 === size ? 0 : next + 1;
}

/** How many values are smaller than `limit`. O(log n). */
export function countBelowSorted({ sorted }: SortedWindow, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const at = (low + high) >> 1;
    if ((sorted[at] ?? 0) < limit) low = at + 1;
    else high = at;
  }
  return low;
}

/** Median: of an even number of values, the mean of the two in the middle; NaN while the window is empty. O(1). */
export function sortedMedian({ sorted }: SortedWindow): number {
  const count = sorted.length;
  if (count === 0) return NaN;
  const lower = sorted[(count - 1) >> 1] ?? 0;
  return count % 2 === 1 ? lower : middle(lower, sorted[count >> 1] ?? 0);
}

/** Median of the distances from `centre`; NaN while the window is empty. O(log n). */
export const sortedMedianDistance = (window: SortedWindow, centre: number): number =>
  medianOfDistances(
    window.sorted.length,
    countBelowSorted(window, centre),
    (place) => window.sorted[place] ?? 0,
    centre,
  );
