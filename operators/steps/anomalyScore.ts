/** Share of a pivot that is kept at least: correlations learned from different rows need not fit together. */
const MIN_PIVOT = 1e-3;

/**
 * Hotelling's T² = u' C⁻¹ u.
 *
 * @param u standardised deviations, p of them.
 * @param lower L with L L' = C, from `cholesky`.
 */
export function hotelling(u: readonly number[], lower: readonly number[]): number {
  return squares(solveLower(lower, u));
}

/**
 * By how much T² would fall without each sensor, as shares of all of them: (C⁻¹u)ᵢ² / (C⁻¹)ᵢᵢ, scaled to sum to 1.
 * All 0 where u is 0.
 */
export function contributionsOf(u: readonly number[], lower: readonly number[]): number[] {
  const y = solveLower(lower, u);
  const falls = u.map((_, i) => {
    const unit = u.map((__, j) => (i === j ? 1 : 0));
    const column = solveLower(lower, unit);
    const weight = column.reduce((sum, value, k) => sum + value * (y[k] ?? 0), 0);
    return (weight * weight) / squares(column);
  });
  const total = falls.reduce((sum, fall) => sum + fall, 0);
  return falls.map((fall) => (total > 0 ? fall / total : 0));
}

/** Rows and columns of a symmetric matrix of `size` that are named, as a matrix of its own. */
export function submatrix(matrix: readonly number[], size: number, kept: readonly number[]): number[] {
  return kept.flatMap((row) => kept.map((column) => matrix[row * size + column] ?? 0));
}

/**
 * L with L L' = C, row by row.
 *
 * @param correlation C, p × p, row by row, symmetric with ones on its diagonal.
 */
export function cholesky(correlation: readonly number[], p: number): number[] {
  const lower = new Array<number>(p * p).fill(0);
  for (let i = 0; i < p; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = correlation[i * p + j] ?? 0;
      for (let k = 0; k < j; k++) sum -= (lower[i * p + k] ?? 0) * (lower[j * p + k] ?? 0);
      lower[i * p + j] = i === j ? Math.sqrt(Math.max(sum, MIN_PIVOT)) : sum / (lower[j * p + j] ?? 1);
    }
  }
  return lower;
}

/** y with L y = u. */
function solveLower(lower: readonly number[], u: readonly number[]): number[] {
  const p = u.length;
  const y = new Array<number>(p).fill(0);
  for (let i = 0; i < p; i++) {
    let sum = u[i] ?? 0;
    for (let k = 0; k < i; k++) sum -= (lower[i * p + k] ?? 0) * (y[k] ?? 0);
    y[i] = sum / (lower[i * p + i] ?? 1);
  }
  return y;
}

function squares(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
