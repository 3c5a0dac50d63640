import { Unscented } from './unscented.ts';
import type { WhatIf } from './whatIf.ts';

export interface Horizon {
  /** > 0 */
  readonly horizonS: number;
  /** Between two points, > 0. */
  readonly stepS: number;
}

/** What is expected of the outputs at a time from now; NaN where the model fails. */
export interface PredictedPoint {
  readonly atS: number;
  readonly values: Readonly<Record<string, number>>;
  readonly stdDev: Readonly<Record<string, number>>;
}

/** However short the filter's steps, there are no more of them than so many. */
const MOST_STEPS = 20_000;
/** Times that are one but for rounding. */
const SAME = 1e-9;

/**
 * Predicts all outputs with their standard deviations, at 0, stepS, 2 stepS, … horizonS: the filter's own prediction step on a copy
 * of what it believes, with process noise as it goes.
 *
 * Gives way after each step of the filter, so that it can be computed in slices; the points are what it returns.
 */
export function* predict(
  whatIf: WhatIf,
  { horizonS, stepS }: Horizon,
): Generator<undefined, readonly PredictedPoint[]> {
  const { twin, layout, u } = whatIf;
  const belief = { z: [...whatIf.belief.z], s: [...whatIf.belief.s] };
  const { noise, maxStepS } = twin.estimation;
  const filter = new Unscented(twin.process, layout, noise, whatIf.integrate);
  const longestS = Math.max(maxStepS, horizonS / MOST_STEPS);
  const outputs = Object.entries(twin.process.outputs).map(
    ([name, output]) => [name, whatIf.reading((x, inputs, p) => output.read(x, inputs, p))] as const,
  );
  const point = layout.point();
  whatIf.begin(0);
  const look = (atS: number): PredictedPoint => {
    const values: Record<string, number> = {};
    const stdDev: Record<string, number> = {};
    for (const [name, read] of outputs) {
      layout.unpack(belief.z, u, point);
      values[name] = read(point.x, point.u, point.p);
      stdDev[name] = Math.sqrt(filter.expect(belief, u, read).variance);
    }
    return { atS, values, stdDev };
  };

  const points = [look(0)];
  let atS = 0;
  let stop = 0;
  for (let i = 1; atS < horizonS; i++) {
    const nextS = Math.min(i * stepS, horizonS);
    while (atS < nextS) {
      const stopS = whatIf.stops[stop] ?? Infinity;
      const endS = stopS < nextS * (1 - SAME) ? stopS : nextS;
      const steps = Math.ceil(((endS - atS) / longestS) * (1 - SAME));
      const dtS = (endS - atS) / steps;
      for (let k = 0; k < steps; k++) {
        filter.predict(belief, u, dtS, whatIf.inputStdDev(atS + k * dtS, dtS));
        yield;
      }
      atS = endS;
      while ((whatIf.stops[stop] ?? Infinity) <= atS * (1 + SAME)) stop += 1;
      whatIf.begin(atS * (1 + SAME));
    }
    points.push(look(atS));
  }
  return points;
}

/** Computes all of it at once. */
export function completed<T>(work: Generator<undefined, T>): T {
  for (;;) {
    const next = work.next();
    if (next.done === true) return next.value;
  }
}
