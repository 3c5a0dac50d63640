import type { ProcessModel, Variable } from './model.ts';
import { at } from './squareRoot.ts';

/** A parameter or an input that is estimated along with the states, as a random walk. */
export interface Estimated {
  readonly name: string;
  readonly unit: string;
  readonly kind: 'parameter' | 'input';
  /** Where it stands in the model's p or u. */
  readonly index: number;
  /** Not estimated: its value stays, and what is not known of it is in the bands of all the others. */
  readonly considered: boolean;
  /** Estimated as its logarithm, because it is positive. */
  readonly log: boolean;
  readonly initial: number;
  readonly min: number;
  readonly max: number;
  /** At the start, and never more, in its unit. */
  readonly stdDev: number;
  /** Growth of its standard deviation with the square root of time. */
  readonly noisePerSqrtS: number;
}

/** x, u and p as a model takes them, for one point z of the filter. */
export interface Point {
  readonly x: Float64Array;
  readonly u: Float64Array;
  readonly p: Float64Array;
}

/** Smallest value of what is estimated as a logarithm, as a share of its initial one. */
const SMALLEST = 1e-6;

/**
 * How the filter's vector z is made up: the model's states, then what is estimated besides, positive ones as logarithms.
 */
export class Layout {
  readonly n: number;
  readonly states: number;
  readonly estimated: readonly Estimated[];
  readonly initial: readonly number[];
  /** Bounds of z. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly #model: ProcessModel;
  readonly #p: Float64Array;

  constructor(model: ProcessModel, estimated: readonly Estimated[]) {
    this.#model = model;
    this.estimated = estimated;
    this.states = model.states.length;
    this.n = this.states + estimated.length;
    this.initial = [...model.states, ...estimated.map(inside)].map(({ initial }) => initial);
    this.lower = Float64Array.from([...model.states, ...estimated.map(inside)], ({ min }) => min);
    this.upper = Float64Array.from([...model.states, ...estimated.map(inside)], ({ max }) => max);
    this.#p = Float64Array.from(model.parameters, ({ initial }) => initial);
  }

  point(): Point {
    const { states, inputs, parameters } = this.#model;
    return {
      x: new Float64Array(states.length),
      u: new Float64Array(inputs.length),
      p: new Float64Array(parameters.length),
    };
  }

  /** z, drawn into its bounds, as the model takes it; `u` are the inputs as they are measured or assumed. */
  unpack(z: ArrayLike<number>, u: ArrayLike<number>, to: Point): void {
    const { states, estimated } = this;
    for (let i = 0; i < states; i++) to.x[i] = this.#drawn(z, i);
    for (let j = 0; j < to.u.length; j++) to.u[j] = at(u, j);
    to.p.set(this.#p);
    for (let k = 0; k < estimated.length; k++) {
      const each = estimated[k];
      if (each === undefined) continue;
      const value = this.#drawn(z, states + k);
      (each.kind === 'input' ? to.u : to.p)[each.index] = each.log ? Math.exp(value) : value;
    }
  }

  /** Draws z into its bounds. */
  draw(z: number[]): void {
    for (let i = 0; i < this.n; i++) z[i] = this.#drawn(z, i);
  }

  /** Value and standard deviation of the k-th estimated one in its own unit. */
  natural(
    k: number,
    z: ArrayLike<number>,
    stdDev: number,
  ): { readonly value: number; readonly stdDev: number } {
    const value = this.#drawn(z, this.states + k);
    return this.estimated[k]?.log === true
      ? { value: Math.exp(value), stdDev: Math.exp(value) * Math.sinh(stdDev) }
      : { value, stdDev };
  }

  /** Where an input is estimated: its place in z; -1 where it is not. */
  placeOfInput(index: number): number {
    const k = this.estimated.findIndex((each) => each.kind === 'input' && each.index === index);
    return k < 0 ? -1 : this.states + k;
  }

  #drawn(z: ArrayLike<number>, i: number): number {
    return Math.min(Math.max(at(z, i), at(this.lower, i)), at(this.upper, i));
  }
}

/** What is estimated, in the filter's terms; a standard deviation of its value is about one of its logarithm, relative. */
export function inside({ log, initial, min, max, stdDev, noisePerSqrtS }: Estimated): Pick<
  Variable,
  'initial' | 'min' | 'max'
> & {
  readonly stdDev: number;
  readonly noisePerSqrtS: number;
} {
  if (!log) return { initial, min, max, stdDev, noisePerSqrtS };
  return {
    initial: Math.log(initial),
    min: Math.log(Math.max(min, initial * SMALLEST)),
    max: Math.log(max),
    stdDev: stdDev / initial,
    noisePerSqrtS: noisePerSqrtS / initial,
  };
}
