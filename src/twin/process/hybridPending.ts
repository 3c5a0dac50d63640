import { integrateBy } from './estimatedTwin.ts';
import type { Coefficients, HybridModel } from './hybridModel.ts';
import type { Layout, Point } from './layout.ts';
import type { ProcessModel } from './model.ts';
import { at } from './squareRoot.ts';
import type { Integrate, Read } from './unscented.ts';

/** A prediction that waits for what comes: inputs as they are measured meanwhile, all else as at its origin. Plain data. */
export interface Pending {
  ageS: number;
  /** By physics alone, from the twin; with the correction, from the corrected one. */
  physics: number[];
  hybrid: number[];
  /** As `hybrid`, with one coefficient a little larger each. */
  moved: number[][];
  theta: number[];
  /** Both at the horizon, with the inputs held as at the origin. */
  physicsHeld: number[];
  hybridHeld: number[];
  /** By quantity: measurements compared, sums of their variances, of the errors, and of what the coefficients do. */
  count: number[];
  variance: number[];
  physicsError: number[];
  hybridError: number[];
  physicsHeldError: number[];
  hybridHeldError: number[];
  slope: number[][];
}

/** Change of a coefficient by which its effect is measured. */
const STEP = 0.02;

export const zeros = (length: number): number[] => new Array<number>(length).fill(0);

/** Brings pending predictions forward and compares them. */
export class Ahead {
  readonly #process: HybridModel;
  readonly #layout: Layout;
  readonly #point: Point;
  readonly #alone: Integrate;
  readonly #corrected: Integrate;

  constructor(model: ProcessModel, process: HybridModel, layout: Layout) {
    this.#process = process;
    this.#layout = layout;
    this.#point = layout.point();
    this.#alone = integrateBy(model);
    this.#corrected = integrateBy(process);
  }

  /** @param quantities number of those that may be compared. */
  begin(
    physics: readonly number[],
    hybrid: readonly number[],
    coefficients: Coefficients & { readonly theta: readonly number[] },
    u: readonly number[],
    horizonS: number,
    quantities: number,
  ): Pending {
    const { theta } = coefficients;
    const physicsHeld = physics.slice();
    const hybridHeld = hybrid.slice();
    this.#move(physicsHeld, u, this.#alone, horizonS);
    this.#process.use(coefficients);
    this.#move(hybridHeld, u, this.#corrected, horizonS);
    return {
      physicsHeld,
      hybridHeld,
      ageS: 0,
      physics: physics.slice(),
      hybrid: hybrid.slice(),
      moved: theta.map(() => hybrid.slice()),
      theta: theta.slice(),
      count: zeros(quantities),
      variance: zeros(quantities),
      physicsError: zeros(quantities),
      hybridError: zeros(quantities),
      physicsHeldError: zeros(quantities),
      hybridHeldError: zeros(quantities),
      slope: Array.from({ length: quantities }, () => zeros(theta.length)),
    };
  }

  advance(each: Pending, region: Omit<Coefficients, 'theta'>, u: readonly number[], dtS: number): void {
    each.ageS += dtS;
    this.#move(each.physics, u, this.#alone, dtS);
    const theta = each.theta.slice();
    this.#process.use({ ...region, theta });
    this.#move(each.hybrid, u, this.#corrected, dtS);
    each.moved.forEach((z, k) => {
      theta[k] = at(each.theta, k) + STEP;
      this.#move(z, u, this.#corrected, dtS);
      theta[k] = at(each.theta, k);
    });
  }

  /** Takes down how far the q-th quantity's measurement is from what was foretold. */
  compare(each: Pending, q: number, read: Read, u: readonly number[], value: number, variance: number): void {
    const off = (z: readonly number[]): number => value - this.#read(z, u, read);
    const error = off(each.hybrid);
    each.count[q] = at(each.count, q) + 1;
    each.variance[q] = at(each.variance, q) + variance;
    each.hybridError[q] = at(each.hybridError, q) + error;
    each.physicsError[q] = at(each.physicsError, q) + off(each.physics);
    each.physicsHeldError[q] = at(each.physicsHeldError, q) + off(each.physicsHeld);
    each.hybridHeldError[q] = at(each.hybridHeldError, q) + off(each.hybridHeld);
    const sums = each.slope[q];
    if (sums === undefined) return;
    each.moved.forEach((z, k) => (sums[k] = at(sums, k) + (error - off(z)) / STEP));
  }

  #move(z: number[], u: readonly number[], by: Integrate, dtS: number): void {
    const { x, u: inputs, p } = this.#point;
    this.#layout.unpack(z, u, this.#point);
    by(x, inputs, p, dtS);
    for (let i = 0; i < x.length; i++) z[i] = at(x, i);
  }

  #read(z: readonly number[], u: readonly number[], read: Read): number {
    this.#layout.unpack(z, u, this.#point);
    return read(this.#point.x, this.#point.u, this.#point.p);
  }
}

export const isFinitePending = ({ physics, hybrid, physicsHeld, hybridHeld, moved }: Pending): boolean =>
  [physics, hybrid, physicsHeld, hybridHeld, ...moved].every((z) => z.every(Number.isFinite));
