import { integerBetween, numberAbove, oneOf } from '../../../operators/options.ts';
import { dormandPrince } from './dormandPrince.ts';
import { copy } from './linear.ts';
import type { ProcessModel } from './model.ts';
import { rosenbrock } from './rosenbrock.ts';

export interface IntegratorOptions {
  /**
   * Largest error of a step in each state, as a part of its value or, where that is smaller, of its scale; a value below a
   * thousandth of the scale counts as that much. > 0, < 0.1. Default 1e-9.
   */
  readonly relativeTolerance?: number;
  /** Steps of one call, rejected ones counted. Integer >= 1. Default 200000. */
  readonly maxSteps?: number;
  /** `auto` begins explicit and becomes implicit where the problem shows to be stiff. Default `auto`. */
  readonly method?: 'auto' | 'explicit' | 'implicit';
}

/**
 * How an integration ended.
 *
 * - `done`: at the end of the interval.
 * - `stepLimit`: `maxSteps` were not enough.
 * - `stepTooSmall`: no step is short enough for the tolerance: the solution leaves the number range, or the model jumps.
 * - `notFinite`: the state or the model's derivatives were not finite where the integration began.
 */
export type IntegrationStatus = 'done' | 'stepLimit' | 'stepTooSmall' | 'notFinite';

export interface Integration {
  readonly status: IntegrationStatus;
  /** How far the state has been brought, seconds; all of the interval when done. */
  readonly reachedS: number;
  /** Accepted steps. */
  readonly steps: number;
  readonly rejectedSteps: number;
  /** Of the accepted ones. */
  readonly implicitSteps: number;
  /** Whether a state left its bounds and was drawn in. */
  readonly drawnIn: boolean;
}

export interface Integrator {
  /**
   * Brings the state forward by `dtS` seconds with inputs and parameters held; `x` is written over, and holds the last
   * good state, never NaN, when the result is not `done`.
   *
   * The outcome follows from the arguments alone, not from calls before. Nothing is allocated: the result is one object
   * for all calls, good until the next.
   *
   * @throws RangeError where `dtS` is negative or not finite.
   */
  readonly advance: (x: Float64Array, u: ArrayLike<number>, p: ArrayLike<number>, dtS: number) => Integration;
}

/** Exponents of the proportional and the integral part (Hairer, Nørsett and Wanner I, II.4). */
const EXPONENT = 0.17;
const MEMORY = 0.04;
const SAFETY = 0.9;
const MIN_FACTOR = 0.1;
const MAX_FACTOR = 5;
/** What rounding leaves of a value. */
const ROUNDING = 1e-14;
/** A step this small against the time that has passed is lost in its rounding. */
const SMALLEST_STEP = 16 * Number.EPSILON;
/** And one this small against the interval would never end it. */
const LEAST_PART = 1e-22;
/** Stability ends at 3.3; steps that accuracy limits stay far below this. */
const STIFF_FROM = 2;
/** So many stiff steps, not interrupted by `NONSTIFF_STEPS` others, make the problem stiff. */
const STIFF_STEPS = 10;
const NONSTIFF_STEPS = 6;
/** Below it the explicit method could take the implicit one's steps; so many in a row are believed. */
const NONSTIFF_BELOW = 1;
const RELAXED_STEPS = 10;

/**
 * An integrator of one model: Dormand-Prince 5(4), and Rodas5P where that is held up by stiffness, with PI control.
 *
 * @throws RangeError that names the option, its value and what was expected.
 */
export function integrator(model: ProcessModel, options: IntegratorOptions = {}): Integrator {
  const tolerance = numberAbove('relativeTolerance', options.relativeTolerance ?? 1e-9, 0);
  if (tolerance >= 0.1) {
    throw new RangeError(`relativeTolerance: ${tolerance} is not valid, expected a number < 0.1`);
  }
  const maxSteps = integerBetween('maxSteps', options.maxSteps ?? 200_000, 1);
  const method = oneOf('method', options.method ?? 'auto', ['auto', 'explicit', 'implicit']);
  const n = model.states.length;
  const scales = Float64Array.from(model.states, ({ scale }) => scale);
  const min = Float64Array.from(model.states, (state) => state.min);
  const max = Float64Array.from(model.states, (state) => state.max);
  const explicit = dormandPrince(model);
  const implicit = rosenbrock(model);
  const result: { -readonly [K in keyof Integration]: Integration[K] } = {
    status: 'done',
    reachedS: 0,
    steps: 0,
    rejectedSteps: 0,
    implicitSteps: 0,
    drawnIn: false,
  };

  const drawIn = (x: Float64Array): boolean => {
    let drawn = false;
    for (let i = 0; i < n; i++) {
      const value = x[i] ?? NaN;
      const least = min[i] ?? -Infinity;
      const most = max[i] ?? Infinity;
      if (value >= least && value <= most) continue;
      if (value < least) x[i] = least;
      else if (value > most) x[i] = most;
      drawn = true;
    }
    if (drawn) result.drawnIn = true;
    return drawn;
  };

  /** The largest error against what is tolerated: good up to 1, NaN where something is not finite. */
  const errorOf = (x: Float64Array, point: Float64Array, error: Float64Array): number => {
    let largest = 0;
    for (let i = 0; i < n; i++) {
      const scale = scales[i] ?? NaN;
      const size = Math.max(Math.abs(x[i] ?? NaN), Math.abs(point[i] ?? NaN));
      const wanted = tolerance * Math.max(Math.min(size, scale), 1e-3 * scale);
      // Less than what rounding leaves cannot be reached.
      const tolerated = Math.max(wanted, ROUNDING * size);
      const share = Math.abs(error[i] ?? NaN) / tolerated;
      if (!(share <= largest)) largest = share;
      if (largest !== largest) return NaN;
    }
    return largest;
  };

  /** Not longer than what moves each state by its scale. @returns NaN where a derivative is not finite. */
  const firstStep = (rates: Float64Array, dtS: number): number => {
    let h = dtS;
    for (let i = 0; i < n; i++) {
      const rate = Math.abs(rates[i] ?? NaN);
      if (!(rate < Infinity)) return NaN;
      if (rate * h > (scales[i] ?? NaN)) h = (scales[i] ?? NaN) / rate;
    }
    return h;
  };

  const end = (status: IntegrationStatus, reachedS: number): Integration => {
    result.status = status;
    result.reachedS = reachedS;
    return result;
  };

  const finite = (x: Float64Array): boolean => {
    for (let i = 0; i < n; i++) if (!Number.isFinite(x[i])) return false;
    return true;
  };

  const advance = (x: Float64Array, u: ArrayLike<number>, p: ArrayLike<number>, dtS: number): Integration => {
    if (!(dtS >= 0 && dtS < Infinity)) {
      throw new RangeError(`dtS: ${dtS} is not valid, expected a finite number >= 0`);
    }
    result.steps = 0;
    result.rejectedSteps = 0;
    result.implicitSteps = 0;
    result.drawnIn = false;
    if (!finite(x)) return end('notFinite', 0);
    drawIn(x);
    if (dtS === 0) return end('done', 0);

    let stiff = method === 'implicit';
    let rates = stiff ? implicit.first : explicit.first;
    model.derivatives(x, u, p, rates);
    let h = firstStep(rates, dtS);
    if (!(h > 0)) return end('notFinite', 0);
    if (stiff) implicit.prepare(x, u, p);

    let reached = 0;
    let lastError = 1e-4;
    let rejected = false;
    let stiffSteps = 0;
    let otherSteps = 0;
    for (let tries = 0; tries < maxSteps; tries++) {
      const left = dtS - reached;
      const smallest = Math.max(SMALLEST_STEP * reached, LEAST_PART * dtS);
      const last = h * 1.01 >= left;
      if (last) h = left;
      else if (h < smallest) return end('stepTooSmall', reached);

      const stepper = stiff ? implicit : explicit;
      const possible = stiff ? implicit.attempt(x, u, p, h) : (explicit.attempt(x, u, p, h), true);
      const error = possible ? errorOf(x, stepper.point, stepper.error) : NaN;
      if (!(error <= 1)) {
        result.rejectedSteps += 1;
        rejected = true;
        h *= error < Infinity ? Math.max(MIN_FACTOR, SAFETY * error ** -EXPONENT) : MIN_FACTOR;
        // The last step may be the smallest, but what it is cut into may not.
        if (h < smallest) return end('stepTooSmall', reached);
        continue;
      }

      result.steps += 1;
      copy(stepper.point, x, n);
      const moved = drawIn(x);
      if (stiff) result.implicitSteps += 1;
      if (last) return end('done', dtS);
      reached += h;

      const hLambda = stepper.stiffness(h, scales);
      const held = stiff ? hLambda < NONSTIFF_BELOW : hLambda > STIFF_FROM;
      stiffSteps = held ? stiffSteps + 1 : stiffSteps;
      otherSteps = held ? 0 : otherSteps + 1;
      if (otherSteps >= (stiff ? 1 : NONSTIFF_STEPS)) stiffSteps = 0;
      const change = method === 'auto' && stiffSteps >= (stiff ? RELAXED_STEPS : STIFF_STEPS);
      if (change) {
        stiff = !stiff;
        stiffSteps = 0;
        otherSteps = 0;
      }
      rates = stiff ? implicit.first : explicit.first;
      if (!stiff && !change && !moved) explicit.accept();
      else model.derivatives(x, u, p, rates);
      if (stiff) implicit.prepare(x, u, p);

      const grown = SAFETY * Math.max(error, 1e-10) ** -EXPONENT * lastError ** MEMORY;
      h *= Math.min(rejected ? 1 : MAX_FACTOR, Math.max(MIN_FACTOR, grown));
      lastError = Math.max(error, 1e-4);
      rejected = false;
    }
    return end('stepLimit', reached);
  };

  return { advance };
}
