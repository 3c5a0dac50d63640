import { at } from './squareRoot.ts';

/** S S' */
export function square(s: ArrayLike<number>, n: number): Float64Array {
  const P = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += at(s, i * n + k) * at(s, j * n + k);
      P[i * n + j] = sum;
    }
  }
  return P;
}

/** F P F' + Q */
export function sandwich(f: Float64Array, P: Float64Array, n: number, q: Float64Array): Float64Array {
  const fp = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += at(f, i * n + k) * at(P, k * n + j);
      fp[i * n + j] = sum;
    }
  }
  const out = q;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = at(q, i * n + j);
      for (let k = 0; k < n; k++) sum += at(fp, i * n + k) * at(f, j * n + k);
      out[i * n + j] = sum;
    }
  }
  return out;
}
