import { median, robustRms, STD_DEV_PER_MAD } from './robust.ts';
import type { Run } from './runs.ts';

/**
 * Standard deviation of the noise, from how far each value is from the line between its neighbours (Gasser, Sroka and
 * Jennen-Steinmetz 1986): free of level and slope, for any spacing. What the process itself does between two readings, beyond
 * a slope, counts as noise here. NaN where no run has three readings.
 *
 *     e = a y- + b y+ - y   a = (t+ - t) / (t+ - t-)   b = 1 - a   var e = R (a^2 + b^2 + 1)
 */
export function noiseStdDev(runs: readonly Run[], step = 0): number {
  const found: number[] = [];
  for (const { times, values } of runs) {
    for (let i = 1; i + 1 < times.length; i++) {
      const [before, at, after] = [times[i - 1] ?? 0, times[i] ?? 0, times[i + 1] ?? 0];
      const a = (after - at) / (after - before);
      const e = a * (values[i - 1] ?? 0) + (1 - a) * (values[i + 1] ?? 0) - (values[i] ?? 0);
      found.push(e / Math.sqrt(a * a + (1 - a) * (1 - a) + 1));
    }
  }
  return robustRms(found, step);
}

/** Orders of the differences that the noise is told by where the process curves. */
const ORDERS = [2, 3, 4, 5, 6];

/**
 * Standard deviation of the noise, from divided differences of orders 2 to 6, the least of them: what a process does that
 * is smooth over some readings shrinks with each order, noise does not. For any spacing; the values' unit. NaN where no run is
 * long enough.
 */
export function smoothNoiseStdDev(runs: readonly Run[], step = 0): number {
  const each = ORDERS.map((order) => {
    const found: number[] = [];
    for (const { times, values } of runs)
      for (let i = 0; i + order < times.length; i++) found.push(residual(times, values, i, order));
    return robustRms(found, step);
  });
  return Math.min(...each.filter((one) => !Number.isNaN(one)));
}

/** Divided difference of the order, over the root of its weights' squares: of white noise the variance is R. */
function residual(times: Float64Array, values: Float64Array, from: number, order: number): number {
  let [sum, square] = [0, 0];
  const start = times[from] ?? 0;
  const scale = ((times[from + order] ?? 0) - start) / order;
  for (let j = from; j <= from + order; j++) {
    let weight = 1;
    for (let k = from; k <= from + order; k++)
      if (k !== j) weight *= scale / ((times[j] ?? 0) - (times[k] ?? 0));
    // Less the first, so that a high level costs no digits.
    sum += weight * ((values[j] ?? 0) - (values[from] ?? 0));
    square += weight * weight;
  }
  return sum / Math.sqrt(square);
}

/** Distance from the median of five, in standard deviations of the noise, beyond which a reading is a spike. */
const SPIKE_STD_DEVS = 6;

/**
 * The indices of single readings and pairs that leave their neighbours and come back. A step of the level is none, as the
 * median of five keeps its edges (Tukey 1977).
 *
 * @param stdDev of the noise, in the values' unit; smaller spreads count as this.
 */
export function spikesOf({ values }: Run, stdDev: number): ReadonlySet<number> {
  const distances = new Float64Array(values.length);
  const five = [0, 0, 0, 0, 0];
  for (let i = 2; i + 2 < values.length; i++) {
    for (let k = 0; k < 5; k++) five[k] = values[i - 2 + k] ?? 0;
    five.sort((a, b) => a - b);
    distances[i] = Math.abs((values[i] ?? 0) - (five[2] ?? 0));
  }
  const limit = SPIKE_STD_DEVS * Math.max(stdDev, STD_DEV_PER_MAD * median(distances));
  const spikes = new Set<number>();
  if (limit > 0) distances.forEach((distance, i) => distance > limit && spikes.add(i));
  return spikes;
}

/** Readings that a step of the level is told from, before it and after it. */
const SIDE = 5;
/** Of the difference between before and after, the step itself makes so much at least; more than any ramp. */
const STEP_SHARE = 0.6;

/**
 * The indices of the first readings after each step of the level: where the median of the five from there on differs from
 * that of the five before by more than noise makes, and nearly all of it from one reading to the next.
 *
 * @param stdDev of the noise, in the values' unit.
 */
export function shiftsOf({ values }: Run, stdDev: number): ReadonlySet<number> {
  const shifted = new Set<number>();
  for (let i = SIDE; i + SIDE <= values.length; i++) {
    const jump = Math.abs((values[i] ?? 0) - (values[i - 1] ?? 0));
    if (jump <= STEP_SHARE * SPIKE_STD_DEVS * stdDev) continue;
    const change = Math.abs(median(values.subarray(i, i + SIDE)) - median(values.subarray(i - SIDE, i)));
    if (change <= SPIKE_STD_DEVS * stdDev || jump < STEP_SHARE * change) continue;
    for (let k = 0; k < SIDE; k++) shifted.add(i + k);
  }
  return shifted;
}

/** The run without its spikes. */
export function withoutSpikes(run: Run, stdDev: number): Run {
  const spikes = spikesOf(run, stdDev);
  if (spikes.size === 0) return run;
  return {
    times: run.times.filter((_, i) => !spikes.has(i)),
    values: run.values.filter((_, i) => !spikes.has(i)),
  };
}
