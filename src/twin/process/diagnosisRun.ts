import { sandwich, square } from './diagnosisAlgebra.ts';
import { unitEffect } from './diagnosisFaults.ts';
import type { Fault } from './diagnosisFaults.ts';
import { startsOf } from './diagnosisWindow.ts';
import type { Block, Segment } from './diagnosisWindow.ts';
import { inside } from './layout.ts';
import type { Layout, Point } from './layout.ts';
import type { ProcessModel } from './model.ts';
import { at } from './squareRoot.ts';
import type { Integrate, Read, StateNoise } from './unscented.ts';

/** A fault with its size, from the begin of a block on. */
export interface Assumed {
  readonly fault: Fault;
  readonly size: number;
  readonly onset: number;
}

/** A block's measurement of one quantity, as the filter met it. */
export interface Innovation {
  readonly quantity: number;
  readonly value: number;
  readonly e: number;
  readonly s: number;
  /** Gain and sensitivity, by place in z. */
  readonly k: Float64Array;
  readonly h: Float64Array;
}

/** One block: how an error of z came here from the block before, and what was measured. */
export interface Step {
  /** Middle of the block, seconds after the first one's begin. */
  readonly atS: number;
  readonly dtS: number;
  /** n x n: an error of z here by one at the block before. */
  readonly f: Float64Array;
  /** By fault: an error of z here by a size of 1 over the step, drift and onset aside; null where it has no such effect. */
  readonly b: readonly (Float64Array | null)[];
  /** Inputs as they were held over the step. */
  readonly u: Float64Array;
  readonly found: readonly Innovation[];
}

interface Leg {
  readonly block: Block;
  readonly index: number;
  readonly u: Float64Array;
  readonly dtS: number;
  readonly atS: number;
}

/** Steps of the differences, as a part of a state's scale or of a value's standard deviation. */
const STEP = 0.01;
const RELATIVE_STEP = 0.01;

/**
 * An extended Kalman filter over the averaged measurements of a history, under the assumption of a fault or of none. It
 * looks at the middle of each block and goes from one middle to the next.
 */
export class Rerun {
  readonly #layout: Layout;
  readonly #integrate: Integrate;
  readonly #reads: readonly (Read | null)[];
  readonly #noise: Float64Array;
  readonly #steps: Float64Array;
  readonly #stays: readonly boolean[];
  readonly #point: Point;

  /** @param reads by quantity; null for one that is not compared. */
  constructor(
    model: ProcessModel,
    layout: Layout,
    noise: StateNoise,
    integrate: Integrate,
    reads: readonly (Read | null)[],
  ) {
    this.#layout = layout;
    this.#integrate = integrate;
    this.#reads = reads;
    const others = layout.estimated.map(inside);
    this.#noise = Float64Array.from([...noise.noisePerSqrtS, ...others.map((each) => each.noisePerSqrtS)]);
    this.#steps = Float64Array.from([
      ...model.states.map(({ scale }) => STEP * scale),
      ...others.map((each) => 5 * STEP * each.stdDev),
    ]);
    this.#stays = [...model.states.map(() => false), ...layout.estimated.map((each) => each.considered)];
    this.#point = layout.point();
  }

  /** Without a fault, with the gains and with the effects that each of `faults` would have. */
  run(segments: readonly Segment[], faults: readonly Fault[]): readonly Step[] {
    const [first] = segments;
    if (first === undefined) return [];
    const { n } = this.#layout;
    const z = Float64Array.from(first.z);
    const P = square(first.s, n);
    const steps: Step[] = [];
    this.#walk(segments, ({ block, u, dtS, atS }) => {
      const noise = block.u.map((input) => (input === null ? 0 : Math.sqrt(input.r / input.count)));
      const { f, b } = this.#predict(z, P, u, dtS, noise, faults);
      const found: Innovation[] = [];
      block.y.forEach((y, quantity) => {
        const read = this.#reads[quantity];
        if (y === null || read === null || read === undefined) return;
        found.push(this.#measure(z, P, u, read, quantity, y.mean, y.r / y.count));
      });
      steps.push({ atS, dtS, f, b, u, found });
    });
    return steps;
  }

  /**
   * The innovations of the same filter if a fault is assumed: through the model itself, but with the gains of `steps`, so that
   * it costs one integration a block.
   */
  replay(segments: readonly Segment[], steps: readonly Step[], assumed: Assumed): readonly number[][] {
    const [first] = segments;
    if (first === undefined) return [];
    const z = Float64Array.from(first.z);
    const { fault, size, onset } = assumed;
    const onsetS = at(startsOf(segments.flatMap(({ blocks }) => blocks)), onset);
    const innovations: number[][] = [];
    this.#walk(segments, ({ u, dtS, atS, index }) => {
      const sinceS = atS - onsetS;
      if (sinceS > 0) this.#correctInputs(u, z, assumed, sinceS - dtS, sinceS);
      this.#layout.unpack(z, u, this.#point);
      const { x, u: held, p } = this.#point;
      if (fault.on === 'parameter' && sinceS > 0) {
        p[fault.index] = at(p, fault.index) + size * unitEffect(fault, sinceS, 0);
      }
      this.#integrate(x, held, p, dtS);
      for (let i = 0; i < x.length; i++) z[i] = at(x, i);
      this.#draw(z);
      const own: number[] = [];
      for (const { quantity, value, k } of steps[index]?.found ?? []) {
        const read = this.#reads[quantity];
        if (read === null || read === undefined) continue;
        const wrong = fault.on === 'compared' && fault.index === quantity;
        const e = (wrong ? repaired(value, assumed, sinceS) : value) - this.#read(z, u, read);
        own.push(e);
        for (let i = 0; i < z.length; i++) z[i] = at(z, i) + at(k, i) * e;
        this.#draw(z);
      }
      innovations.push(own);
    });
    return innovations;
  }

  /** From middle to middle of the blocks, with the inputs that were held on the way. */
  #walk(segments: readonly Segment[], visit: (leg: Leg) => void): void {
    let half: Float64Array = Float64Array.from(segments[0]?.u ?? []);
    let [beginS, beforeS, index] = [0, 0, 0];
    for (const { blocks } of segments) {
      for (const block of blocks) {
        const atS = beginS + block.durationS / 2;
        const dtS = atS - beforeS;
        const before = half;
        half = before.map((value, j) => block.u[j]?.mean ?? value);
        const own = block.durationS / 2 / dtS;
        const u = half.map((value, j) => own * value + (1 - own) * at(before, j));
        visit({ block, index, u, dtS, atS });
        beginS += block.durationS;
        beforeS = atS;
        index += 1;
      }
    }
  }

  /** Inputs as they were, if the assumption holds; a jump of what is in z happens here, too. */
  #correctInputs(u: Float64Array, z: Float64Array, assumed: Assumed, beforeS: number, sinceS: number): void {
    const { fault, size } = assumed;
    const { index } = fault;
    const share = Math.min(1, sinceS / (sinceS - beforeS));
    if (fault.on === 'told') {
      u[index] = at(u, index) + share * (repaired(at(u, index), assumed, sinceS) - at(u, index));
    } else if (fault.on === 'input') {
      u[index] = at(u, index) + share * size * unitEffect(fault, sinceS, 0);
    } else if (fault.on === 'estimated') {
      const before = beforeS > 0 ? unitEffect(fault, beforeS, 0) : 0;
      z[index] = at(z, index) + size * (unitEffect(fault, sinceS, 0) - before);
    }
  }

  #predict(
    z: Float64Array,
    P: Float64Array,
    u: Float64Array,
    dtS: number,
    noise: readonly number[],
    faults: readonly Fault[],
  ): { f: Float64Array; b: (Float64Array | null)[] } {
    const { n, states } = this.#layout;
    const end = (from: ArrayLike<number>, inputs: ArrayLike<number>, place = -1, by = 0): Float64Array => {
      const { x, u: held, p } = this.#point;
      this.#layout.unpack(from, inputs, this.#point);
      if (place >= 0) p[place] = at(p, place) + by;
      this.#integrate(x, held, p, dtS);
      return x.slice();
    };
    const middle = end(z, u);
    const f = new Float64Array(n * n);
    for (let j = 0; j < n; j++) {
      const h = at(this.#steps, j);
      z[j] = at(z, j) + h;
      const off = end(z, u);
      z[j] = at(z, j) - h;
      for (let i = 0; i < states; i++) f[i * n + j] = (at(off, i) - at(middle, i)) / h;
      if (j >= states) f[j * n + j] = 1;
    }
    const ofInput = new Map<number, Float64Array>();
    const inputColumn = (j: number): Float64Array => {
      const known = ofInput.get(j);
      if (known !== undefined) return known;
      const column = new Float64Array(n);
      const value = at(u, j);
      const h = RELATIVE_STEP * Math.abs(value) || RELATIVE_STEP;
      u[j] = value + h;
      const off = end(z, u);
      u[j] = value;
      for (let i = 0; i < states; i++) column[i] = (at(off, i) - at(middle, i)) / h;
      ofInput.set(j, column);
      return column;
    };
    const ofParameter = new Map<number, Float64Array>();
    const parameterColumn = ({ index, nominal }: Fault): Float64Array => {
      const known = ofParameter.get(index);
      if (known !== undefined) return known;
      const column = new Float64Array(n);
      const h = RELATIVE_STEP * nominal;
      const off = end(z, u, index, h);
      for (let i = 0; i < states; i++) column[i] = (at(off, i) - at(middle, i)) / h;
      ofParameter.set(index, column);
      return column;
    };
    const b = faults.map((fault) => {
      if (fault.on === 'told' || fault.on === 'input') return inputColumn(fault.index);
      return fault.on === 'parameter' ? parameterColumn(fault) : null;
    });
    const q = new Float64Array(n * n);
    for (let i = 0; i < n; i++) q[i * n + i] = at(this.#noise, i) ** 2 * dtS;
    noise.forEach((stdDev, j) => {
      if (stdDev === 0) return;
      const column = inputColumn(j);
      for (let i = 0; i < states; i++) {
        for (let k = 0; k < states; k++)
          q[i * n + k] = at(q, i * n + k) + stdDev ** 2 * at(column, i) * at(column, k);
      }
    });
    P.set(sandwich(f, P, n, q));
    for (let i = 0; i < states; i++) z[i] = at(middle, i);
    this.#draw(z);
    return { f, b };
  }

  #measure(
    z: Float64Array,
    P: Float64Array,
    u: Float64Array,
    read: Read,
    quantity: number,
    value: number,
    r: number,
  ): Innovation {
    const { n } = this.#layout;
    const expected = this.#read(z, u, read);
    const h = new Float64Array(n);
    for (let j = 0; j < n; j++) {
      const step = at(this.#steps, j);
      z[j] = at(z, j) + step;
      h[j] = (this.#read(z, u, read) - expected) / step;
      z[j] = at(z, j) - step;
    }
    const ph = new Float64Array(n);
    let s = r;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += at(P, i * n + j) * at(h, j);
      ph[i] = sum;
      s += at(h, i) * sum;
    }
    const k = ph.map((each, i) => (this.#stays[i] === true ? 0 : each / s));
    const e = value - expected;
    for (let i = 0; i < n; i++) z[i] = at(z, i) + at(k, i) * e;
    // P - K HP - (K HP)' + K s K', which holds for any gain.
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        const less = at(k, i) * at(ph, j) + at(ph, i) * at(k, j) - at(k, i) * at(k, j) * s;
        P[i * n + j] = at(P, i * n + j) - less;
        P[j * n + i] = at(P, i * n + j);
      }
    }
    this.#draw(z);
    return { quantity, value, e, s, k, h };
  }

  #read(z: ArrayLike<number>, u: ArrayLike<number>, read: Read): number {
    this.#layout.unpack(z, u, this.#point);
    return read(this.#point.x, this.#point.u, this.#point.p);
  }

  #draw(z: Float64Array): void {
    const { lower, upper } = this.#layout;
    for (let i = 0; i < z.length; i++) z[i] = Math.min(Math.max(at(z, i), at(lower, i)), at(upper, i));
  }
}

/** What the sensor would have said without the fault. */
function repaired(inner: number, { fault, size }: Assumed, sinceS: number): number {
  if (sinceS < 0) return inner;
  if (fault.shape === 'scale') return fault.zero + (inner - fault.zero) / (1 + size);
  return inner - size * unitEffect(fault, sinceS, inner);
}
