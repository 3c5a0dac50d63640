import {
  estimateInitialState,
  estimateStep,
  resolveEstimateOptions,
} from '../../operators/steps/estimate.ts';
import type { EstimateOptions } from '../../operators/steps/estimate.ts';
import { resolveSmoothOptions, smoothFlush, smoothState, smoothStep } from '../../operators/steps/smooth.ts';
import type { SmoothedReading } from '../../operators/steps/smooth.ts';
import { makeRun } from './conditions.ts';
import type { Condition, Run } from './conditions.ts';
import type { Profile, Sampling } from './signals.ts';

export interface Point {
  readonly value: number;
  readonly stdDev: number;
}

/** Sums over the readings of all runs, and over the runs. */
export class Tally {
  private readonly reductions: number[] = [];
  private within = 0;
  private settled = 0;
  private nis = 0;
  private nisCount = 0;

  /** `noise`: variance of the noise, to which the error is compared; null = what the readings of the run were off. */
  add({ truth, settled, readings }: Run, points: readonly Point[], noise: number | null): void {
    let squares = 0;
    let raw = 0;
    let count = 0;
    points.forEach(({ value, stdDev }, i) => {
      const error = value - (truth[i] ?? NaN);
      squares += error * error;
      const measured = readings[i]?.value ?? null;
      if (measured !== null) {
        raw += (measured - (truth[i] ?? NaN)) ** 2;
        count += 1;
      }
      if (settled[i] !== true) return;
      this.settled += 1;
      if (Math.abs(error) <= 1.96 * stdDev) this.within += 1;
    });
    this.reductions.push(100 * (1 - squares / points.length / (noise ?? raw / count)));
  }

  addNis(nis: number): void {
    this.nis += nis;
    this.nisCount += 1;
  }

  /** Mean error reduction, %. */
  get reduction(): number {
    return this.reductions.reduce((sum, each) => sum + each, 0) / this.reductions.length;
  }

  /** Standard error of that mean. */
  get standardError(): number {
    const { reductions, reduction } = this;
    const squares = reductions.reduce((sum, each) => sum + (each - reduction) ** 2, 0);
    return Math.sqrt(squares / (reductions.length - 1) / reductions.length);
  }

  /** Truth within the 95 % band once settled, %. */
  get coverage(): number {
    return (100 * this.within) / this.settled;
  }

  /** Mean NIS once settled, of the readings taken in. */
  get meanNis(): number {
    return this.nis / this.nisCount;
  }
}

/** The estimate at once, and the one with lag; the latter is null for `constantVelocity`. */
export interface Measured {
  readonly online: Tally;
  readonly lagged: Tally | null;
}

export interface Task {
  readonly profile: Profile;
  readonly sampling: Sampling;
  readonly condition: Condition;
  readonly options: EstimateOptions;
}

export function measure(task: Task, seeds: readonly number[]): Measured {
  const { profile, sampling, condition } = task;
  const { noise = 0.5, told = 1 } = condition;
  const options = { measurementVariance: told * noise * noise, ...condition.options, ...task.options };
  const resolved = resolveEstimateOptions(options);
  const { mode = 'constantVelocity', unconfirmed: _, processNoise: _q, ...shared } = options;
  const smoothing =
    mode === 'constantVelocity' ? null : resolveSmoothOptions({ ...shared, mode, lagMs: sampling.lagMs });
  const online = new Tally();
  const lagged = new Tally();
  // Spikes would make any filter shine.
  const compared = condition.spikes === undefined ? null : noise * noise;
  for (const seed of seeds) {
    const run = makeRun(profile, sampling, condition, seed);
    const state = estimateInitialState(mode);
    const estimates = run.readings.flatMap((each) => estimateStep(state, each, resolved) ?? []);
    online.add(run, estimates, compared);
    estimates.forEach(({ nis }, i) => {
      if (nis !== null && nis <= resolved.adaptive.gate && run.settled[i] === true) online.addNis(nis);
    });
    if (smoothing !== null) lagged.add(run, smoothed(run, smoothing), compared);
  }
  return { online, lagged: smoothing && lagged };
}

function smoothed({ readings }: Run, options: ReturnType<typeof resolveSmoothOptions>): Point[] {
  const results: Point[] = [];
  const emit = (result: SmoothedReading): number => results.push(result.smoothed);
  const state = smoothState();
  for (const each of readings) smoothStep(state, each, options, emit);
  smoothFlush(state, emit);
  if (results.length !== readings.length)
    throw new Error(`${results.length} smoothed readings of ${readings.length}`);
  return results;
}
