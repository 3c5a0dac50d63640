/** Figures that a few wild values hardly move. All sort or copy their input; NaN where it is empty. */

/** Standard deviation of a normal distribution whose median absolute deviation is 1. */
export const STD_DEV_PER_MAD = 1.4826;

/** The p-quantile, 0 to 1, of values sorted upwards, linear between neighbours (type 7 of Hyndman and Fan 1996). */
export function quantileOfSorted(sorted: ArrayLike<number>, p: number): number {
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below] ?? NaN;
  const high = sorted[below + 1] ?? low;
  return low + (at - below) * (high - low);
}

export const sorted = (values: ArrayLike<number>): Float64Array => Float64Array.from(values).sort();

export const quantile = (values: ArrayLike<number>, p: number): number => quantileOfSorted(sorted(values), p);

export const median = (values: ArrayLike<number>): number => quantile(values, 0.5);

/**
 * Root mean square of values around 0 without those beyond four robust standard deviations. Unlike the median alone it does
 * not come in steps where the values are quantised.
 *
 * @param floor the robust standard deviation counts as this at least; the values' unit.
 */
export function robustRms(values: ArrayLike<number>, floor = 0): number {
  const sizes = Float64Array.from(values, Math.abs);
  const scale = Math.max(STD_DEV_PER_MAD * median(sizes), floor);
  if (!(scale > 0)) return sizes.length === 0 ? NaN : 0;
  let sum = 0;
  let count = 0;
  for (const size of sizes) {
    if (size > 4 * scale) continue;
    sum += size * size;
    count += 1;
  }
  return Math.sqrt(sum / count);
}
