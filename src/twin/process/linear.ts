/** Dense linear algebra on flat row-major n × n arrays, in place and without allocation; n is a handful. */

/**
 * LU factors of `a` with partial pivoting, written over it.
 *
 * @param pivots the row taken at each column, n numbers.
 * @returns false where the matrix is singular or not finite.
 */
export function factorise(a: Float64Array, pivots: Int32Array, n: number): boolean {
  for (let k = 0; k < n; k++) {
    let row = k;
    let largest = Math.abs(a[k * n + k] ?? NaN);
    for (let i = k + 1; i < n; i++) {
      const size = Math.abs(a[i * n + k] ?? NaN);
      if (size > largest) {
        largest = size;
        row = i;
      }
    }
    if (!(largest > 0 && largest < Infinity)) return false;
    pivots[k] = row;
    if (row !== k) swapRows(a, n, k, row);
    const pivot = a[k * n + k] ?? NaN;
    for (let i = k + 1; i < n; i++) {
      const factor = (a[i * n + k] ?? NaN) / pivot;
      a[i * n + k] = factor;
      for (let j = k + 1; j < n; j++) {
        a[i * n + j] = (a[i * n + j] ?? NaN) - factor * (a[k * n + j] ?? NaN);
      }
    }
  }
  return true;
}

function swapRows(a: Float64Array, n: number, k: number, row: number): void {
  for (let j = 0; j < n; j++) {
    const held = a[k * n + j] ?? NaN;
    a[k * n + j] = a[row * n + j] ?? NaN;
    a[row * n + j] = held;
  }
}

/** Solves A x = b with the factors of A; x is written over b. */
export function solveFactorised(lu: Float64Array, pivots: Int32Array, b: Float64Array, n: number): void {
  // Whole rows were exchanged, multipliers too, so b takes every exchange before the first elimination.
  for (let k = 0; k < n; k++) {
    const row = pivots[k] ?? k;
    if (row === k) continue;
    const held = b[k] ?? NaN;
    b[k] = b[row] ?? NaN;
    b[row] = held;
  }
  for (let i = 1; i < n; i++) {
    let sum = b[i] ?? NaN;
    for (let j = 0; j < i; j++) sum -= (lu[i * n + j] ?? NaN) * (b[j] ?? NaN);
    b[i] = sum;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = b[i] ?? NaN;
    for (let j = i + 1; j < n; j++) sum -= (lu[i * n + j] ?? NaN) * (b[j] ?? NaN);
    b[i] = sum / (lu[i * n + i] ?? NaN);
  }
}

/** The first n numbers; on a handful quicker than `TypedArray.set`. */
export function copy(from: Float64Array, to: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) to[i] = from[i] ?? NaN;
}
