import { inside } from './layout.ts';
import type { Layout, Point } from './layout.ts';
import type { ProcessModel } from './model.ts';
import { at, limitRows, lowerFactor, rowNorm, shrink, shrinkSome } from './squareRoot.ts';

/** Moves x forward by dtS seconds, inputs and parameters held. Must depend on nothing but its arguments. */
export type Integrate = (x: Float64Array, u: Float64Array, p: Float64Array, dtS: number) => void;

/** What the filter knows: the mean z and the square root of its covariance, P = S S', row by row. Plain data. */
export interface Belief {
  z: number[];
  s: number[];
}

/** How far the states are off at the start, and what disturbs them: both in the states' units, by state. */
export interface StateNoise {
  readonly initialStdDev: readonly number[];
  readonly noisePerSqrtS: readonly number[];
}

/** A quantity as a function of state, inputs and parameters. */
export type Read = (x: ArrayLike<number>, u: ArrayLike<number>, p: ArrayLike<number>) => number;

/** What a quantity is believed to be, before a measurement of it has been taken in. */
export interface Expected {
  readonly mean: number;
  /** Of the quantity itself, without the sensor's noise. */
  readonly variance: number;
}

/** States never get wider than so many of their scales, so that no silence makes them meaningless. */
const WIDEST_SCALES = 10;

/**
 * Unscented Kalman filter in square-root form (Julier and Uhlmann 1997; van der Merwe and Wan 2001) for a process model
 * with parameters and inputs estimated jointly.
 *
 *     points    z+-_i = z +- g S_i     S_i columns of S, g = sqrt(n + k), k = max(0, 3 - n)
 *     weights   W0 = k / (n + k), W = 1 / 2(n + k)
 *     f, h      model over a step; measured quantity
 *
 * For each pair of points only the odd part d_i = (f+ - f-) / 2g and the even part e_i = (f+ + f-) / 2 count:
 *
 *     predict   z = W0 f0 + 2W sum e_i     S = L of L Q = [d | sqrt(2W) (e_i - z) | sqrt(W0) (f0 - z) | B | sqrt(Q dt)]
 *     measure   a_i = (h+ - h-) / 2g       y = W0 h0 + 2W sum e_i       v = W0 (h0 - y)^2 + 2W sum (e_i - y)^2
 *               s = a a' + v + R           z += S a' (m - y) / s        S by Potter's form with R + v
 *
 * B are the effects of measured inputs' noise. As no weight is negative, there is nothing to subtract, and P stays
 * positive semi-definite for any spacing and order of the measurements.
 */
export class Unscented {
  readonly layout: Layout;
  readonly #integrate: Integrate;
  readonly #initialStdDev: Float64Array;
  readonly #noise: Float64Array;
  readonly #widest: Float64Array;
  /** 1 for what is considered, else 0; null where nothing is. */
  readonly #stays: Uint8Array | null;
  readonly #reach: number;
  readonly #weight: number;
  readonly #weight0: number;
  readonly #point: Point;
  readonly #moved: Float64Array;
  readonly #odd: Float64Array;
  readonly #even: Float64Array;
  readonly #mean: Float64Array;
  readonly #columns: Float64Array;
  readonly #a: Float64Array;
  readonly #gain: Float64Array;

  constructor(model: ProcessModel, layout: Layout, noise: StateNoise, integrate: Integrate) {
    const { n, states, estimated } = layout;
    const extra = Math.max(0, 3 - n);
    this.layout = layout;
    this.#integrate = integrate;
    const others = estimated.map(inside);
    this.#initialStdDev = Float64Array.from([...noise.initialStdDev, ...others.map((each) => each.stdDev)]);
    this.#noise = Float64Array.from([...noise.noisePerSqrtS, ...others.map((each) => each.noisePerSqrtS)]);
    const widest = model.states.map(({ scale }, i) =>
      Math.max(WIDEST_SCALES * scale, at(noise.initialStdDev, i)),
    );
    this.#widest = Float64Array.from([...widest, ...others.map((each) => each.stdDev)]);
    const stays = Uint8Array.from({ length: n }, (_, i) =>
      estimated[i - states]?.considered === true ? 1 : 0,
    );
    this.#stays = stays.includes(1) ? stays : null;
    this.#reach = Math.sqrt(n + extra);
    this.#weight = 0.5 / (n + extra);
    this.#weight0 = extra / (n + extra);
    this.#point = layout.point();
    this.#moved = new Float64Array(n);
    this.#odd = new Float64Array(states * n);
    this.#even = new Float64Array(states * (n + 1));
    this.#mean = new Float64Array(states);
    this.#columns = new Float64Array(n * (3 * n + 1 + model.inputs.length));
    this.#a = new Float64Array(n);
    this.#gain = new Float64Array(n);
  }

  initial(): Belief {
    const { n, initial } = this.layout;
    const s = Array.from({ length: n * n }, (_, i) =>
      i % (n + 1) === 0 ? at(this.#initialStdDev, i / (n + 1)) : 0,
    );
    return { z: [...initial], s };
  }

  /**
   * Lets dtS > 0 seconds pass.
   *
   * @param inputStdDev of each input, of an error that is independent from one step to the next; 0 where it has none.
   */
  predict({ z, s }: Belief, u: ArrayLike<number>, dtS: number, inputStdDev: ArrayLike<number>): void {
    const { n, states } = this.layout;
    const { x } = this.#point;
    const odd = this.#odd;
    const even = this.#even;
    const mean = this.#mean.fill(0);
    const pairs = this.#weight0 > 0 ? n + 1 : n;
    for (let i = 0; i < n; i++) {
      this.#step(z, s, i, this.#reach, u, dtS);
      for (let j = 0; j < states; j++) even[j * pairs + i] = at(x, j);
      this.#step(z, s, i, -this.#reach, u, dtS);
      for (let j = 0; j < states; j++) {
        const plus = at(even, j * pairs + i);
        const middle = (plus + at(x, j)) / 2;
        odd[j * n + i] = (plus - at(x, j)) / (2 * this.#reach);
        even[j * pairs + i] = middle;
        mean[j] = at(mean, j) + 2 * this.#weight * middle;
      }
    }
    if (pairs > n) {
      this.#step(z, s, 0, 0, u, dtS);
      for (let j = 0; j < states; j++) {
        even[j * pairs + n] = at(x, j);
        mean[j] = at(mean, j) + this.#weight0 * at(x, j);
      }
    }
    let inputs = 0;
    for (let j = 0; j < inputStdDev.length; j++) if (at(inputStdDev, j) > 0) inputs += 1;
    const width = 2 * n + pairs + inputs;
    const a = this.#columns;
    for (let i = 0; i < n; i++) {
      const row = i * width;
      a.fill(0, row, row + width);
      for (let k = 0; k < n; k++) a[row + k] = i < states ? at(odd, i * n + k) : at(s, i * n + k);
      if (i < states) {
        for (let k = 0; k < pairs; k++) {
          const root = Math.sqrt(k < n ? 2 * this.#weight : this.#weight0);
          a[row + n + k] = root * (at(even, i * pairs + k) - at(mean, i));
        }
      }
      a[row + n + pairs + i] = at(this.#noise, i) * Math.sqrt(dtS);
    }
    if (inputs > 0) this.#inputColumns(z, u, dtS, inputStdDev, width, 2 * n + pairs);
    for (let j = 0; j < states; j++) z[j] = at(mean, j);
    this.layout.draw(z);
    lowerFactor(a, n, width, s);
    limitRows(s, n, this.#widest);
  }

  /** What is believed of a quantity; the filter keeps a_i for an `accept` that follows. */
  expect({ z, s }: Belief, u: ArrayLike<number>, read: Read): Expected {
    const { n } = this.layout;
    const a = this.#a;
    const even = this.#even;
    let mean = 0;
    for (let i = 0; i < n; i++) {
      const plus = this.#value(z, s, i, this.#reach, u, read);
      const minus = this.#value(z, s, i, -this.#reach, u, read);
      a[i] = (plus - minus) / (2 * this.#reach);
      even[i] = (plus + minus) / 2;
      mean += 2 * this.#weight * at(even, i);
    }
    const middle = this.#weight0 > 0 ? this.#value(z, s, 0, 0, u, read) : 0;
    mean += this.#weight0 * middle;
    let bent = this.#weight0 * (middle - mean) ** 2;
    let variance = 0;
    for (let i = 0; i < n; i++) {
      bent += 2 * this.#weight * (at(even, i) - mean) ** 2;
      variance += at(a, i) * at(a, i);
    }
    this.#bent = bent;
    return { mean, variance: variance + bent };
  }

  #bent = 0;

  /** Takes in the measurement whose quantity was `expect`ed just before; r > 0 is the variance of its noise. */
  accept({ z, s }: Belief, expected: Expected, measured: number, r: number): void {
    const { n } = this.layout;
    const variance = expected.variance + r;
    const noise = r + this.#bent;
    if (this.#stays === null) shrink(s, n, this.#a, variance, noise, this.#gain);
    else shrinkSome(s, n, this.#a, variance, noise, this.#gain, this.#stays, this.#columns);
    const share = (measured - expected.mean) / variance;
    for (let i = 0; i < n; i++) z[i] = at(z, i) + at(this.#gain, i) * share;
    this.layout.draw(z);
  }

  /** Makes the belief wider by a factor >= 1, within what it may be at all. */
  widen({ s }: Belief, factor: number): void {
    for (let i = 0; i < s.length; i++) s[i] = at(s, i) * factor;
    limitRows(s, this.layout.n, this.#widest);
  }

  stdDev({ s }: Belief, i: number): number {
    return rowNorm(s, this.layout.n, i);
  }

  /** z + reach S_i into the working point. */
  #place(z: ArrayLike<number>, s: ArrayLike<number>, i: number, reach: number, u: ArrayLike<number>): void {
    const { n } = this.layout;
    const moved = this.#moved;
    for (let j = 0; j < n; j++) moved[j] = at(z, j) + reach * at(s, j * n + i);
    this.layout.unpack(moved, u, this.#point);
  }

  #step(
    z: ArrayLike<number>,
    s: ArrayLike<number>,
    i: number,
    reach: number,
    u: ArrayLike<number>,
    dtS: number,
  ): void {
    this.#place(z, s, i, reach, u);
    this.#integrate(this.#point.x, this.#point.u, this.#point.p, dtS);
  }

  #value(
    z: ArrayLike<number>,
    s: ArrayLike<number>,
    i: number,
    reach: number,
    u: ArrayLike<number>,
    read: Read,
  ): number {
    this.#place(z, s, i, reach, u);
    return read(this.#point.x, this.#point.u, this.#point.p);
  }

  /** What errors of the inputs do to the states over the step: a column each. */
  #inputColumns(
    z: ArrayLike<number>,
    u: ArrayLike<number>,
    dtS: number,
    stdDev: ArrayLike<number>,
    width: number,
    from: number,
  ): void {
    const { states } = this.layout;
    const { x, p, u: inputs } = this.#point;
    const a = this.#columns;
    let column = from;
    for (let j = 0; j < inputs.length; j++) {
      const error = at(stdDev, j);
      if (error <= 0) continue;
      this.layout.unpack(z, u, this.#point);
      const value = at(inputs, j);
      inputs[j] = value + error;
      this.#integrate(x, inputs, p, dtS);
      for (let i = 0; i < states; i++) a[i * width + column] = at(x, i) / 2;
      this.layout.unpack(z, u, this.#point);
      inputs[j] = value - error;
      this.#integrate(x, inputs, p, dtS);
      for (let i = 0; i < states; i++) a[i * width + column] = at(a, i * width + column) - at(x, i) / 2;
      column += 1;
    }
  }
}
