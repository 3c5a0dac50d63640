/** What a sensor reads while nothing drifts: mean and standard deviation, in the reading's unit; the latter > 0. */
export interface Reference {
  readonly mean: number;
  readonly stdDev: number;
}

/** Values further from the median than so many robust standard deviations are left out. */
const TRIM = 4;

/**
 * Mean and sample standard deviation (n - 1) of the values, without those that stand far off from their median, so that
 * the spikes of the first rows do not become the measure of all that follows. O(n log n).
 *
 * @param values at least two, of at most LARGEST_ROLLING_VALUE in magnitude.
 * @param stdDevFloor a smaller standard deviation counts as this one; >= 0.
 * @returns null where the standard deviation is 0.
 */
export function learnReference(values: readonly number[], stdDevFloor: number): Reference | null {
  const centre = median(values);
  const reach = TRIM * 1.4826 * median(values.map((value) => Math.abs(value - centre)));
  // Where more than half are the same value, the median distance says nothing.
  const kept = reach > 0 ? values.filter((value) => Math.abs(value - centre) <= reach) : values;
  const offset = kept.reduce((sum, value) => sum + (value - centre), 0) / kept.length;
  const squares = kept.reduce((sum, value) => sum + (value - centre - offset) ** 2, 0);
  const stdDev = Math.max(Math.sqrt(squares / (kept.length - 1)), stdDevFloor);
  return stdDev > 0 ? { mean: centre + offset + 0, stdDev } : null; // -0 becomes 0, because JSON does not know it
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const upper = sorted[sorted.length >> 1] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (sorted[(sorted.length >> 1) - 1] ?? NaN) / 2 + upper / 2;
}
