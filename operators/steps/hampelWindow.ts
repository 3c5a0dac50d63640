/**
 * The last values in order of arrival and, at the same time, in order of size: a search tree whose nodes are the slots
 * of the ring. Each slot has a fixed priority that is as good as random and knows nothing of the values, which keeps the
 * tree flat in whatever order they come (treap: Seidel and Aragon, 1996). A value comes or goes in O(log n), and so do
 * the median and the count of values below a limit. The median absolute deviation needs no tree of its own: the
 * distances from the median are two sorted runs of the same tree.
 *
 * Nothing is summed up, so there is nothing that could lose digits, whatever finite values come.
 */
export interface HampelWindow {
  /** By slot, from 1; entry 0 is no value. */
  values: number[];
  /** Slots of the smaller and the larger values below each slot, 0 = none, and how many slots hang together there. */
  left: number[];
  right: number[];
  size: number[];
  /** The topmost slot; 0 while the window is empty. */
  root: number;
  /** The slot that is filled next, the oldest one in a full window. */
  next: number;
}

export const hampelWindow = (): HampelWindow => ({
  values: [0],
  left: [0],
  right: [0],
  size: [0],
  root: 0,
  next: 1,
});

export const windowCount = (window: HampelWindow): number => window.values.length - 1;

/** Forgets all values. */
export const clearWindow = (window: HampelWindow): void => void Object.assign(window, hampelWindow());

/**
 * Takes in one finite value; the oldest leaves a full window. O(log size).
 *
 * @param size values; whole number >= 1, the same for every push (see fitWindow).
 */
export function pushWindow(window: HampelWindow, value: number, size: number): void {
  const slot = window.next;
  if (slot < window.values.length) remove(window, slot);
  window.values[slot] = value + 0; // -0 becomes 0, because JSON does not know it
  insert(window, slot);
  window.next = slot === size ? 1 : slot + 1;
}

/** Makes a window that was filled with another size fit this one; the newest values stay. */
export function fitWindow(window: HampelWindow, size: number): void {
  const { values, next } = window;
  const count = values.length - 1;
  if (count === size ? next <= size : count < size && next === count + 1) return;
  const kept = [...values.slice(next), ...values.slice(1, next)].slice(-size);
  clearWindow(window);
  for (const value of kept) pushWindow(window, value, size);
}

/** Median: of an even number of values, the mean of the two in the middle; NaN while the window is empty. O(log n). */
export function windowMedian(window: HampelWindow): number {
  const { values, left, right, size, root } = window;
  const count = windowCount(window);
  if (count === 0) return NaN;
  let before = (count - 1) >> 1;
  let at = root;
  /** The last slot that was left to its left: the next larger one, unless there is one to the right. */
  let next = 0;
  for (;;) {
    const smaller = size[left[at] ?? 0] ?? 0;
    if (before === smaller) break;
    if (before < smaller) {
      next = at;
      at = left[at] ?? 0;
    } else {
      before -= smaller + 1;
      at = right[at] ?? 0;
    }
  }
  const lower = values[at] ?? 0;
  if (count % 2 === 1) return lower;
  for (let larger = right[at] ?? 0; larger !== 0; larger = left[larger] ?? 0) next = larger;
  return middle(lower, values[next] ?? 0);
}

/** Median of the distances from `centre`; NaN while the window is empty. O(log^2 n). */
export const medianDistance = (window: HampelWindow, centre: number): number =>
  medianOfDistances(
    windowCount(window),
    countBelow(window, centre),
    (place) => valueAt(window, place),
    centre,
  );

/**
 * Median of the distances from `centre` of `count` values, of which `below` are smaller than it; NaN where there are none.
 *
 * @param valueAt the value of that place in order of size, from 0.
 */
export function medianOfDistances(
  count: number,
  below: number,
  valueAt: (place: number) => number,
  centre: number,
): number {
  if (count === 0) return NaN;
  const upper = distanceAt(count >> 1, count, below, valueAt, centre);
  return count % 2 === 1 ? upper : middle(distanceAt((count >> 1) - 1, count, below, valueAt, centre), upper);
}

/** How many values are smaller than `limit`. O(log n). */
export function countBelow({ values, left, right, size, root }: HampelWindow, limit: number): number {
  let count = 0;
  let at = root;
  while (at !== 0) {
    if ((values[at] ?? 0) < limit) {
      count += (size[left[at] ?? 0] ?? 0) + 1;
      at = right[at] ?? 0;
    } else {
      at = left[at] ?? 0;
    }
  }
  return count;
}

/** Halved first: the sum of two large values would overflow. */
export const middle = (a: number, b: number): number => a / 2 + b / 2;

/** The k-th smallest value, from 0. */
function valueAt({ values, left, right, size, root }: HampelWindow, k: number): number {
  let at = root;
  let before = k;
  while (at !== 0) {
    const smaller = size[left[at] ?? 0] ?? 0;
    if (before === smaller) break;
    if (before < smaller) {
      at = left[at] ?? 0;
    } else {
      before -= smaller + 1;
      at = right[at] ?? 0;
    }
  }
  return values[at] ?? 0;
}

/**
 * The k-th smallest distance from `centre`, from 0. The values below the centre, from the nearest to the farthest, and
 * the others are two sorted runs; a bisection finds how many of the k nearest come from the lower one.
 */
function distanceAt(
  k: number,
  count: number,
  below: number,
  valueAt: (place: number) => number,
  centre: number,
): number {
  const lower = (i: number): number => centre - valueAt(below - 1 - i);
  const upper = (i: number): number => valueAt(below + i) - centre;
  const above = count - below;
  let least = Math.max(0, k - above);
  let most = Math.min(k, below);
  while (least < most) {
    const taken = (least + most) >> 1;
    if (lower(taken) < upper(k - taken - 1)) least = taken + 1;
    else most = taken;
  }
  const fromLower = least < below ? lower(least) : Infinity;
  const fromUpper = k - least < above ? upper(k - least) : Infinity;
  return Math.min(fromLower, fromUpper);
}

/** Equal values stand in the order of their slots, so that each can be found again. */
const precedes = (value: number, slot: number, other: number, otherSlot: number): boolean =>
  value < other || (value === other && slot < otherSlot);

/** Of a slot: always the same, and as good as random. A slot stands above all those of lower priority in its part. */
function priority(slot: number): number {
  const mixed = Math.imul(slot ^ (slot >>> 16), 0x45d9f3b);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
}

/** Hangs the slot in below those of higher priority. */
function insert(window: HampelWindow, slot: number): void {
  const { values, left, right, size } = window;
  const value = values[slot] ?? 0;
  const own = priority(slot);
  let side: number[] | null = null;
  let above = 0;
  let at = window.root;
  while (at !== 0 && priority(at) > own) {
    size[at] = (size[at] ?? 0) + 1;
    side = precedes(value, slot, values[at] ?? 0, at) ? left : right;
    above = at;
    at = side[at] ?? 0;
  }
  split(window, at, slot);
  if (side === null) window.root = slot;
  else side[above] = slot;
}

/** Puts the slot on top of what hangs at `at`: the smaller ones to its left, the larger ones to its right. */
function split(window: HampelWindow, at: number, slot: number): void {
  const { values, left, right } = window;
  if (at === 0) {
    left[slot] = 0;
    right[slot] = 0;
  } else if (precedes(values[slot] ?? 0, slot, values[at] ?? 0, at)) {
    split(window, left[at] ?? 0, slot);
    left[at] = right[slot] ?? 0;
    right[slot] = at;
    count(window, at);
  } else {
    split(window, right[at] ?? 0, slot);
    right[at] = left[slot] ?? 0;
    left[slot] = at;
    count(window, at);
  }
  count(window, slot);
}

/** Takes the slot out. */
function remove(window: HampelWindow, slot: number): void {
  const { values, left, right, size } = window;
  const value = values[slot] ?? 0;
  let side: number[] | null = null;
  let above = 0;
  let at = window.root;
  while (at !== slot) {
    size[at] = (size[at] ?? 0) - 1;
    side = precedes(value, slot, values[at] ?? 0, at) ? left : right;
    above = at;
    at = side[at] ?? 0;
  }
  const rest = join(window, left[slot] ?? 0, right[slot] ?? 0);
  if (side === null) window.root = rest;
  else side[above] = rest;
}

/** Makes one of two parts, all of whose values are in order. @returns the slot on top of it. */
function join(window: HampelWindow, smaller: number, larger: number): number {
  const { left, right } = window;
  if (smaller === 0 || larger === 0) return smaller + larger;
  if (priority(smaller) > priority(larger)) {
    right[smaller] = join(window, right[smaller] ?? 0, larger);
    count(window, smaller);
    return smaller;
  }
  left[larger] = join(window, smaller, left[larger] ?? 0);
  count(window, larger);
  return larger;
}

function count({ left, right, size }: HampelWindow, at: number): void {
  size[at] = (size[left[at] ?? 0] ?? 0) + (size[right[at] ?? 0] ?? 0) + 1;
}
