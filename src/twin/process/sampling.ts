import { createRandom } from '../../plant/random.ts';

/** Steps of the integration between two strata. */
const FINE = 16;

/**
 * Normal draws of a Latin hypercube (M. D. McKay, R. J. Beckman, W. J. Conover 1979): in each of `dimensions` columns every one
 * of `count` equally probable strata occurs once, so that a few hundred stand for the distribution much better than as many
 * independent ones. Row by row; the same seed gives the same draws.
 */
export function normalHypercube(count: number, dimensions: number, seed: number): Float64Array {
  const quantiles = strata(count);
  const random = createRandom(seed);
  const draws = new Float64Array(count * dimensions);
  for (let d = 0; d < dimensions; d++) {
    const left = [...quantiles];
    for (let i = 0; i < count; i++) {
      const [value = 0] = left.splice(Math.floor(random.uniform() * left.length), 1);
      draws[i * dimensions + d] = value;
    }
  }
  return draws;
}

/**
 * Normal quantiles of the middles of `count` strata, scaled to variance 1. The quantile x of p follows
 * dx/dp = sqrt(2 pi) exp(x^2 / 2) from x(1/2) = 0.
 */
function strata(count: number): Float64Array {
  const slope = (x: number): number => Math.sqrt(2 * Math.PI) * Math.exp((x * x) / 2);
  const values = new Float64Array(count);
  let x = 0;
  let p = 0.5;
  for (let i = count >> 1; i < count; i++) {
    const h = ((i + 0.5) / count - p) / FINE;
    for (let k = 0; k < FINE; k++) {
      const k1 = slope(x);
      const k2 = slope(x + (h / 2) * k1);
      const k3 = slope(x + (h / 2) * k2);
      x += (h / 6) * (k1 + 2 * k2 + 2 * k3 + slope(x + h * k3));
    }
    p = (i + 0.5) / count;
    values[i] = x;
    values[count - 1 - i] = -x;
  }
  const variance = values.reduce((sum, value) => sum + value * value, 0) / count;
  return values.map((value) => value / Math.sqrt(variance));
}

/** The share-th quantile of ascending values, interpolated; null of none. */
export function quantileOf(ascending: readonly number[], share: number): number | null {
  const place = share * (ascending.length - 1);
  const below = ascending[Math.floor(place)];
  const above = ascending[Math.ceil(place)];
  if (below === undefined || above === undefined) return null;
  return below + (place - Math.floor(place)) * (above - below);
}
