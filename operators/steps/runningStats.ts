/**
 * Statistics of one stretch of readings in order of time, O(1) a value.
 *
 * Mean and squared deviations after Welford (1962), joined after Chan, Golub and LeVeque (1979), both on values relative
 * to the first one: so 1e9 with noise of 1e-3 keeps its digits. The time-weighted mean is that of the values held over
 * [firstTime, lastTime]. Where a value is so large that its square would overflow, everything goes on scaled by 2^-600.
 */
export interface RunningStats {
  count: number;
  /** Scaled where `huge`, like `mean`, `m2` and `holdMean`, which are relative to it; the others are in the unit. */
  shift: number;
  mean: number;
  /** Sum of squared deviations from the mean. */
  m2: number;
  /** Mean over time of the values held from firstTime to lastTime. */
  holdMean: number;
  huge: boolean;
  min: number;
  max: number;
  first: number;
  last: number;
  /** Epoch milliseconds. */
  firstTime: number;
  lastTime: number;
}

const HUGE = 1e140;
const SCALE = 2 ** -600;

export const runningStats = (): RunningStats => ({
  count: 0,
  shift: 0,
  mean: 0,
  m2: 0,
  holdMean: 0,
  huge: false,
  min: 0,
  max: 0,
  first: 0,
  last: 0,
  firstTime: 0,
  lastTime: 0,
});

/** Statistics of one finite value. */
export function statsOfOne(timestamp: number, value: number): RunningStats {
  const huge = value > HUGE || value < -HUGE;
  return {
    count: 1,
    shift: huge ? value * SCALE : value,
    mean: 0,
    m2: 0,
    holdMean: 0,
    huge,
    min: value,
    max: value,
    first: value,
    last: value,
    firstTime: timestamp,
    lastTime: timestamp,
  };
}

/** Adds a finite value that is not older than the last. */
export function addValue(stats: RunningStats, timestamp: number, value: number): void {
  if (stats.count === 0) {
    Object.assign(stats, statsOfOne(timestamp, value));
    return;
  }
  if (!stats.huge && (value > HUGE || value < -HUGE)) scaleDown(stats);
  if (timestamp > stats.lastTime) {
    const share = (timestamp - stats.lastTime) / (timestamp - stats.firstTime);
    stats.holdMean += (relative(stats, stats.last) - stats.holdMean) * share;
    stats.lastTime = timestamp;
  }
  stats.last = value;
  spread(stats, value);
}

/** Adds a finite value older than the last. Its own hold is only known where it is older than the first, too. */
export function addEarlierValue(stats: RunningStats, timestamp: number, value: number): void {
  if (!stats.huge && (value > HUGE || value < -HUGE)) scaleDown(stats);
  if (timestamp < stats.firstTime) {
    const share = (stats.firstTime - timestamp) / (stats.lastTime - timestamp);
    stats.holdMean += (relative(stats, value) - stats.holdMean) * share;
    stats.first = value;
    stats.firstTime = timestamp;
  }
  spread(stats, value);
}

/** Appends a later stretch, which is left as it is. */
export function appendStats(stats: RunningStats, later: RunningStats): void {
  if (later.count === 0) return;
  if (stats.count === 0) {
    Object.assign(stats, later);
    return;
  }
  if (stats.huge !== later.huge) {
    if (!stats.huge) scaleDown(stats);
    else scaleDown((later = { ...later }));
  }
  const shift = later.shift - stats.shift;
  const heldMs = stats.lastTime - stats.firstTime;
  const gapMs = later.firstTime - stats.lastTime;
  const laterMs = later.lastTime - later.firstTime;
  if (gapMs > 0)
    stats.holdMean += (relative(stats, stats.last) - stats.holdMean) * (gapMs / (heldMs + gapMs));
  if (laterMs > 0) {
    stats.holdMean += (later.holdMean + shift - stats.holdMean) * (laterMs / (heldMs + gapMs + laterMs));
  }
  const count = stats.count + later.count;
  const delta = later.mean + shift - stats.mean;
  stats.m2 += later.m2 + delta * delta * ((stats.count / count) * later.count);
  stats.mean += delta * (later.count / count);
  stats.count = count;
  if (later.min < stats.min) stats.min = later.min;
  if (later.max > stats.max) stats.max = later.max;
  stats.last = later.last;
  stats.lastTime = later.lastTime;
}

/** Arithmetic mean; null for no value. */
export function meanOf(stats: RunningStats): number | null {
  return stats.count === 0 ? null : between(stats.min, unscaled(stats, stats.shift + stats.mean), stats.max);
}

/** Sample standard deviation (n - 1); null for fewer than two values, or where it is too large for a number. */
export function stdDevOf(stats: RunningStats): number | null {
  if (stats.count < 2) return null;
  const stdDev = unscaled(stats, Math.sqrt(stats.m2 / (stats.count - 1)));
  return Number.isFinite(stdDev) ? stdDev : null;
}

/**
 * Mean over time on [start, end): each value holds until the next or the end, `carry` (the value in force before the
 * first) from the start. Only the part where a value is in force counts.
 * @returns null where none is.
 */
export function timeWeightedMeanOf(
  stats: RunningStats,
  carry: number | null,
  start: number,
  end: number,
): number | null {
  if (stats.count === 0) return carry;
  const from = carry === null ? stats.firstTime : start;
  let mean = stats.holdMean;
  if (end > stats.lastTime) {
    const share = (end - stats.lastTime) / (end - stats.firstTime);
    mean += (relative(stats, stats.last) - mean) * share;
  }
  if (carry === null) return between(stats.min, unscaled(stats, stats.shift + mean), stats.max);
  mean += (relative(stats, carry) - mean) * ((stats.firstTime - from) / (end - from));
  return between(Math.min(stats.min, carry), unscaled(stats, stats.shift + mean), Math.max(stats.max, carry));
}

/** What does not depend on the order: count, mean, squares, least and largest. */
function spread(stats: RunningStats, value: number): void {
  const x = relative(stats, value);
  const delta = x - stats.mean;
  stats.count += 1;
  stats.mean += delta / stats.count;
  stats.m2 += delta * (x - stats.mean);
  if (value < stats.min) stats.min = value;
  if (value > stats.max) stats.max = value;
}

function scaleDown(stats: RunningStats): void {
  stats.huge = true;
  stats.shift *= SCALE;
  stats.mean *= SCALE;
  // One after the other: the square of the scale is too small for a number.
  stats.m2 = stats.m2 * SCALE * SCALE;
  stats.holdMean *= SCALE;
}

const relative = (stats: RunningStats, value: number): number =>
  (stats.huge ? value * SCALE : value) - stats.shift;

const unscaled = (stats: RunningStats, value: number): number => (stats.huge ? value / SCALE : value);

/** A mean lies between its values, whatever the rounding. */
const between = (min: number, value: number, max: number): number =>
  value < min ? min : value > max ? max : value;
