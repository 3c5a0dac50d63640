/**
 * Mean and population standard deviation of the last values, a window of fixed size, O(1) a value.
 *
 * Symbols: d = x - shift, S = sum of d, Q = sum of d^2, M2 = Q - S^2/n = sum of (x - mean)^2.
 * The shift is close to the mean, so that M2 does not vanish between two large numbers (shifted data: Chan, Golub and
 * LeVeque, 1983). S and Q are recomputed about the present mean once a turn of the ring, which bounds the drift of
 * adding and subtracting, and whenever M2 has become small beside the largest Q since then, which is where a level
 * change or a huge value that leaves the window would cost digits.
 */
export interface RollingStats {
  /** The values; while it grows, oldest first; once full, the oldest is at `next`. */
  ring: number[];
  next: number;
  shift: number;
  sum: number;
  sumOfSquares: number;
  /** Largest `sumOfSquares` since the sums were last recomputed. */
  peak: number;
}

/** Larger magnitudes are refused: their squares overflow, and an infinite sum would not survive JSON. */
export const LARGEST_ROLLING_VALUE = 1e150;

/** Share of the peak below which M2 is recomputed; keeps the relative error under size * 1e-12. */
const CANCELLATION = 1e-4;

export const rollingStats = (): RollingStats => ({
  ring: [],
  next: 0,
  shift: 0,
  sum: 0,
  sumOfSquares: 0,
  peak: 0,
});

/**
 * Takes in one finite value of at most LARGEST_ROLLING_VALUE in magnitude; the oldest leaves a full window.
 *
 * @param size window, values; whole number >= 1, the same for every push (see fitRolling).
 */
export function pushRolling(stats: RollingStats, value: number, size: number): void {
  const x = value + 0; // -0 becomes 0, because JSON does not know it
  const { ring, next } = stats;
  if (ring.length < size) {
    ring.push(x);
    if (ring.length === 1) stats.shift = x;
    // A full ring grows no more: an exact copy gives back the room that growing arrays keep in reserve.
    if (ring.length === size) stats.ring = ring.slice();
  } else {
    const gone = (ring[next] ?? 0) - stats.shift;
    stats.sum -= gone;
    stats.sumOfSquares -= gone * gone;
    ring[next] = x;
  }
  const d = x - stats.shift;
  stats.sum += d;
  stats.sumOfSquares += d * d;
  if (stats.sumOfSquares > stats.peak) stats.peak = stats.sumOfSquares;
  stats.next = next + 1 === size ? 0 : next + 1;
  const m2 = stats.sumOfSquares - (stats.sum * stats.sum) / ring.length;
  if (stats.next === 0 || m2 < CANCELLATION * stats.peak) recompute(stats);
}

/** Forgets all values. */
export function clearRolling(stats: RollingStats): void {
  stats.ring = [];
  stats.next = 0;
  stats.shift = 0;
  stats.sum = 0;
  stats.sumOfSquares = 0;
  stats.peak = 0;
}

/** Makes a state that was filled with another window size fit this one; the newest values stay. */
export function fitRolling(stats: RollingStats, size: number): void {
  const { ring, next } = stats;
  const fits = ring.length === size ? next < size : ring.length < size && next === ring.length;
  if (fits) return;
  const kept = [...ring.slice(next), ...ring.slice(0, next)].slice(-size);
  clearRolling(stats);
  for (const value of kept) pushRolling(stats, value, size);
}

/** Mean of the values in the window; NaN while it is empty. */
export const rollingMean = (stats: RollingStats): number => stats.shift + stats.sum / stats.ring.length;

/** Population standard deviation (divided by n) of the values in the window, 0 below 1e-150; NaN while it is empty. */
export function rollingStdDev(stats: RollingStats): number {
  const n = stats.ring.length;
  const m2 = stats.sumOfSquares - (stats.sum * stats.sum) / n;
  return n === 0 ? NaN : Math.sqrt(Math.max(0, m2) / n);
}

/** Starts from a value of the window, so that equal values give a shift that is exactly theirs. */
function recompute(stats: RollingStats): void {
  const { ring } = stats;
  const start = ring[0] ?? 0;
  let offset = 0;
  for (const x of ring) offset += x - start;
  const shift = start + offset / ring.length;
  let sum = 0;
  let sumOfSquares = 0;
  for (const x of ring) {
    const d = x - shift;
    sum += d;
    sumOfSquares += d * d;
  }
  stats.shift = shift;
  stats.sum = sum;
  stats.sumOfSquares = sumOfSquares;
  stats.peak = sumOfSquares;
}
