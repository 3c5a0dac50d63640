/**
 * Limit of Hotelling's T² for `count` sensors, exceeded with probability `rate` where the variances and the correlation were
 * learned from `effectiveCount` independent values: p(m−1)(m+1) / (m(m−p)) · F(p, m−p). With the correlation shrunk by
 * n / (n + p), as `learnAnomalyBaseline` does, n values tell as much as m = n + p (2 + p / 25): fitted to simulated scores of
 * 1 to 64 sensors without correlation, and on the safe side of those with.
 *
 * @see Hotelling, H. (1931), The generalization of Student's ratio
 */
export function hotellingLimit(count: number, effectiveCount: number, rate: number): number {
  const m = Math.max(effectiveCount, 1) + count * (2 + count / 25);
  const factor = (count * (m - 1) * (m + 1)) / (m * (m - count));
  return factor * fQuantile(rate, count, m - count);
}

/** The value that an F-distributed one with d1 and d2 degrees of freedom (> 0, fractions allowed) exceeds with probability `tail`. */
export function fQuantile(tail: number, d1: number, d2: number): number {
  // 1 − x of the beta distribution, so that a small tail keeps its digits.
  let low = 0;
  let high = 1;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (incompleteBeta(d2 / 2, d1 / 2, middle) < tail) low = middle;
    else high = middle;
  }
  const y = (low + high) / 2;
  return (d2 * (1 - y)) / (d1 * y);
}

/** Regularised incomplete beta function I_x(a, b). */
export function incompleteBeta(a: number, b: number, x: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  // The fraction converges fast only on this side of the mean.
  return x < (a + 1) / (a + b + 2)
    ? (front * betaFraction(a, b, x)) / a
    : 1 - (front * betaFraction(b, a, 1 - x)) / b;
}

const MAX_TERMS = 500;
const TINY = 1e-300;

/** Continued fraction of the incomplete beta function (DLMF 8.17.22), evaluated from the front (Lentz, 1976). */
function betaFraction(a: number, b: number, x: number): number {
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= MAX_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 / away(1 + term * d);
      c = away(1 + term / c);
      change = c * d;
      fraction *= change;
    }
    if (Math.abs(change - 1) < 1e-14) break;
  }
  return fraction;
}

const away = (value: number): number => (Math.abs(value) < TINY ? TINY : value);

/** Stirling's series after a shift to where it is exact to 1e-13. */
function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 12; z++) shift += Math.log(z);
  const r = 1 / (z * z);
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r / 1680))) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
