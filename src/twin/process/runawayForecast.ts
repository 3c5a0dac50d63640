import { integrator } from './integrator.ts';
import type { Layout } from './layout.ts';
import type { ProcessModel } from './model.ts';
import { at } from './squareRoot.ts';
import type { Belief, Read } from './unscented.ts';

/** Where the process is going to be, inputs held. */
export interface Forecast {
  /** That the limit is crossed within the horizon. */
  probability: number;
  /** Until the expected course crosses it; null = not within the horizon. */
  timeToLimitS: number | null;
}

export interface ForecastOptions {
  readonly limit: number;
  readonly horizonS: number;
}

/** Points of time at which the expected course is looked at, and at which all are: those only share in a probability. */
const LOOKS = 18;
const COARSE = 3;
/** What is asked is whether a limit is crossed, not where a trajectory is to six digits. */
const RELATIVE_TOLERANCE = 1e-3;
const MAX_STEPS = 2000;
/** A course counts as no higher than this part of the way from its start to the limit, so that a few do not carry all. */
const BEYOND = 1.25;
/** Below this part of the way the expected course leaves the others no chance that would be worth their price. */
const WORTH = 0.5;

/**
 * Forecasts by the filter's own points: each is a course of its own to the horizon, inputs held; at each look their mean and
 * variance say how probable it is to be beyond the limit, and the most probable look counts. What disturbs on the
 * way is left out. Where the expected course does not come half of the way to the limit, the probability is 0.
 *
 * What is returned is good until the next call.
 */
export function forecastOf(
  model: ProcessModel,
  layout: Layout,
  output: Read,
  { limit, horizonS }: ForecastOptions,
): (belief: Belief, inputs: ArrayLike<number>) => Forecast {
  const { n } = layout;
  const by = integrator(model, { relativeTolerance: RELATIVE_TOLERANCE, maxSteps: MAX_STEPS });
  const extra = Math.max(0, 3 - n);
  const reach = Math.sqrt(n + extra);
  const weight = 0.5 / (n + extra);
  const weight0 = extra / (n + extra);
  const point = layout.point();
  const moved = new Float64Array(n);
  const centre = new Float64Array(LOOKS);
  const course = new Float64Array(LOOKS);
  const sum = new Float64Array(LOOKS);
  const squares = new Float64Array(LOOKS);
  const stepS = horizonS / LOOKS;
  const result: Forecast = { probability: 0, timeToLimitS: null };
  let crossedS: number | null = null;

  /** A point's course into `into`; from where it is well beyond the limit it stays there. */
  const follow = (
    { z, s }: Belief,
    inputs: ArrayLike<number>,
    column: number,
    distance: number,
    most: number,
    into: Float64Array,
    stride: number,
  ): void => {
    for (let i = 0; i < n; i++) {
      moved[i] = at(z, i) + (distance === 0 ? 0 : distance * at(s, i * n + column));
    }
    layout.unpack(moved, inputs, point);
    const { x, u, p } = point;
    let before = output(x, u, p);
    crossedS = before >= limit ? 0 : null;
    for (let k = stride - 1; k < LOOKS; k += stride) {
      const { status } = by.advance(x, u, p, stride * stepS);
      let value = output(x, u, p);
      // Where the model cannot go on, the course stays where it last was.
      if (status !== 'done' || !Number.isFinite(value)) value = before;
      if (crossedS === null && value >= limit) {
        crossedS = stepS * (k + 1 - (stride * (value - limit)) / (value - before));
      }
      into[k] = Math.min(value, most);
      if (value >= most || status !== 'done') {
        into.fill(Math.min(value, most), k + 1);
        return;
      }
      before = value;
    }
  };

  return (belief, inputs) => {
    layout.unpack(belief.z, inputs, point);
    const now = output(point.x, point.u, point.p);
    const way = Math.max(limit - now, 0);
    const most = limit + (BEYOND - 1) * Math.max(way, 1e-3 * Math.abs(limit));
    follow(belief, inputs, 0, 0, most, centre, 1);
    result.timeToLimitS = crossedS;
    const peak = centre.reduce((a, b) => Math.max(a, b), now);
    result.probability = 0;
    if (peak < now + WORTH * way) return result;
    for (let k = COARSE - 1; k < LOOKS; k += COARSE) {
      sum[k] = weight0 * at(centre, k);
      squares[k] = weight0 * at(centre, k) ** 2;
    }
    for (let i = 0; i < 2 * n; i++) {
      follow(belief, inputs, i >> 1, i % 2 === 0 ? reach : -reach, most, course, COARSE);
      for (let k = COARSE - 1; k < LOOKS; k += COARSE) {
        const value = at(course, k);
        sum[k] = at(sum, k) + weight * value;
        squares[k] = at(squares, k) + weight * value * value;
      }
    }
    for (let k = COARSE - 1; k < LOOKS; k += COARSE) {
      const mean = at(sum, k);
      const stdDev = Math.sqrt(Math.max(at(squares, k) - mean * mean, 0));
      result.probability = Math.max(result.probability, beyond(mean - limit, stdDev));
    }
    return result;
  };
}

/** That a normal variable of this mean and standard deviation is >= 0. */
function beyond(mean: number, stdDev: number): number {
  if (stdDev < 1e-12) return mean >= 0 ? 1 : 0;
  const t = mean / stdDev;
  // Logistic form of the normal distribution (S. R. Bowling et al. 2009), to 2e-4.
  return 1 / (1 + Math.exp(-(0.07056 * t ** 3 + 1.5976 * t)));
}
