/**
 * Covariances kept as a square root: P = S S', S n*n row by row. Whatever is done to S by orthogonal transformations and
 * by products leaves P symmetric and positive semi-definite, with half the digits that P itself would need.
 */

/** Squares below it are on the way to what a number cannot hold. */
const NOTHING = 1e-280;

/**
 * A (n rows, `columns` >= n columns, row by row) is turned by Householder reflections into L Q; writes L, lower
 * triangular with L L' = A A', into `out` (n*n). A is used up.
 */
export function lowerFactor(a: Float64Array, n: number, columns: number, out: number[]): void {
  for (let i = 0; i < n; i++) {
    const row = i * columns;
    let tail = 0;
    for (let k = i + 1; k < columns; k++) tail += at(a, row + k) * at(a, row + k);
    const head = at(a, row + i);
    // What is triangular already needs no turn, and a row of next to nothing has no direction.
    if (tail > NOTHING) {
      const alpha = head > 0 ? -Math.sqrt(head * head + tail) : Math.sqrt(head * head + tail);
      const first = head - alpha;
      const scale = 2 / (tail + first * first);
      for (let j = i + 1; j < n; j++) {
        const other = j * columns;
        let dot = first * at(a, other + i);
        for (let k = i + 1; k < columns; k++) dot += at(a, row + k) * at(a, other + k);
        dot *= scale;
        a[other + i] = at(a, other + i) - dot * first;
        for (let k = i + 1; k < columns; k++) a[other + k] = at(a, other + k) - dot * at(a, row + k);
      }
      a[row + i] = alpha;
    }
    for (let j = 0; j < n; j++) out[i * n + j] = j > i ? 0 : at(a, row + j);
  }
}

/**
 * S after a measurement of variance `r` > 0 that sees H S = `a` of it, s = a a' + r (Potter's form, 1963):
 * S+ = S - (S a') a / (s + sqrt(r s)), so that S+ S+' = P - P H' H P / s without a difference of variances.
 *
 * @param gain where P H' = S a' is written.
 */
export function shrink(
  s: number[],
  n: number,
  a: Float64Array,
  variance: number,
  r: number,
  gain: Float64Array,
): void {
  const share = 1 / (variance + Math.sqrt(r * variance));
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += at(s, i * n + k) * at(a, k);
    gain[i] = sum;
    const back = sum * share;
    for (let k = 0; k < n; k++) s[i * n + k] = at(s, i * n + k) - back * at(a, k);
  }
}

/**
 * The same where some variables are not to move (S. F. Schmidt 1966): with their gain 0, S+ = L of L Q = [S - K a | K sqrt(r)].
 *
 * @param gain P H' as for `shrink`, 0 for those that stay; `room` has n (n + 1) elements.
 */
export function shrinkSome(
  s: number[],
  n: number,
  a: Float64Array,
  variance: number,
  r: number,
  gain: Float64Array,
  stays: ArrayLike<number>,
  room: Float64Array,
): void {
  const root = Math.sqrt(r);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    if (at(stays, i) === 0) for (let k = 0; k < n; k++) sum += at(s, i * n + k) * at(a, k);
    gain[i] = sum;
    const row = i * (n + 1);
    const share = sum / variance;
    for (let k = 0; k < n; k++) room[row + k] = at(s, i * n + k) - share * at(a, k);
    room[row + n] = share * root;
  }
  lowerFactor(room, n, n + 1, s);
}

/** Standard deviation of the i-th variable: the length of S's i-th row. */
export function rowNorm(s: readonly number[], n: number, i: number): number {
  let sum = 0;
  for (let k = 0; k < n; k++) sum += at(s, i * n + k) * at(s, i * n + k);
  return Math.sqrt(sum);
}

/** Makes no row longer than its limit: correlations stay, and P with them positive semi-definite. */
export function limitRows(s: number[], n: number, limits: ArrayLike<number>): void {
  for (let i = 0; i < n; i++) {
    const factor = at(limits, i) / rowNorm(s, n, i);
    if (factor < 1) for (let k = 0; k < n; k++) s[i * n + k] = at(s, i * n + k) * factor;
  }
}

/** An element that is there: indices here run within the sizes that the arrays were made with. */
export const at = (values: ArrayLike<number>, index: number): number => values[index] ?? 0;
