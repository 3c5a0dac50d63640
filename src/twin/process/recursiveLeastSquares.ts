import { at } from './squareRoot.ts';

/**
 * What has been learned so far. Plain data.
 *
 * A information matrix (n x n, row by row), b information vector, theta = A⁻¹ b the coefficients, P = A⁻¹ their covariance.
 */
export interface LeastSquares {
  a: number[];
  b: number[];
  theta: number[];
}

export interface LeastSquaresOptions {
  /** Pull of every coefficient towards 0: 1 / variance of what it may be. > 0. */
  readonly ridge: number;
  /** A datum further from what was expected than so many standard deviations counts as this far. */
  readonly clip: number;
}

/**
 * Least squares with exponential forgetting and a pull towards zero, one datum after the other, in the information form:
 *
 *     A <- λ A + (1 - λ) ρ I + w s sᵀ        b <- λ b + w s y        theta = A⁻¹ b
 *
 * s regressors, y what they should add up to (n = s.length), w = 1 / variance of y's noise, λ what is kept of the past, ρ the ridge.
 * It is the batch solution of Σ λ^age w (y - sᵀ theta)² + ρ |theta|² exactly. As A never falls below ρ I, the covariance is
 * bounded whatever comes or fails to come: without excitation coefficients return to 0 instead of winding up.
 */
export class RecursiveLeastSquares {
  readonly n: number;
  readonly #options: LeastSquaresOptions;
  readonly #factor: Float64Array;
  readonly #work: Float64Array;

  constructor(n: number, options: LeastSquaresOptions) {
    this.n = n;
    this.#options = options;
    this.#factor = new Float64Array(n * n);
    this.#work = new Float64Array(n);
  }

  initial(): LeastSquares {
    const { n } = this;
    const a = Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? this.#options.ridge : 0));
    return { a, b: new Array<number>(n).fill(0), theta: new Array<number>(n).fill(0) };
  }

  /**
   * Takes a datum in, clipped where it is an outlier against `usual`, the variance of usual data. Data that are not finite leave
   * everything as it is.
   */
  learn(
    own: LeastSquares,
    s: ArrayLike<number>,
    y: number,
    w: number,
    lambda: number,
    usual: number = 1 / w,
  ): void {
    const { n } = this;
    const { ridge, clip } = this.#options;
    let expected = 0;
    let size = 0;
    for (let i = 0; i < n; i++) {
      expected += at(s, i) * at(own.theta, i);
      size += at(s, i) * at(s, i);
    }
    if (!Number.isFinite(y) || !Number.isFinite(size) || !(w > 0 && w < Infinity)) return;
    const far = clip * Math.sqrt(usual + this.spread(own, s));
    const off = y - expected;
    const taken = expected + Math.min(Math.max(off, -far), far);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const pull = i === j ? (1 - lambda) * ridge : 0;
        own.a[i * n + j] = lambda * at(own.a, i * n + j) + pull + w * at(s, i) * at(s, j);
      }
      own.b[i] = lambda * at(own.b, i) + w * at(s, i) * taken;
    }
    this.#decompose(own.a);
    this.#forward(own.b);
    for (let i = n - 1; i >= 0; i--) {
      let sum = at(this.#work, i);
      for (let j = i + 1; j < n; j++) sum -= at(this.#factor, j * n + i) * at(own.theta, j);
      own.theta[i] = sum / at(this.#factor, i * n + i);
    }
  }

  /** Variance sᵀ P s of what the coefficients say of these regressors. */
  spread(own: LeastSquares, s: ArrayLike<number>): number {
    this.#decompose(own.a);
    this.#forward(s);
    let sum = 0;
    for (const each of this.#work) sum += each * each;
    return sum;
  }

  /** A = L Lᵀ (Cholesky); positive definite by construction. */
  #decompose(a: ArrayLike<number>): void {
    const { n } = this;
    const l = this.#factor;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = at(a, i * n + j);
        for (let k = 0; k < j; k++) sum -= at(l, i * n + k) * at(l, j * n + k);
        // Rounding alone can bring a pivot below what the ridge guarantees.
        l[i * n + j] =
          i === j ? Math.sqrt(Math.max(sum, this.#options.ridge * 1e-12)) : sum / at(l, j * n + j);
      }
    }
  }

  /** L⁻¹ b into the working vector. */
  #forward(b: ArrayLike<number>): void {
    const { n } = this;
    for (let i = 0; i < n; i++) {
      let sum = at(b, i);
      for (let k = 0; k < i; k++) sum -= at(this.#factor, i * n + k) * at(this.#work, k);
      this.#work[i] = sum / at(this.#factor, i * n + i);
    }
  }
}
