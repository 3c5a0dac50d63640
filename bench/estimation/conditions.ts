import type { EstimateOptions } from '../../operators/steps/estimate.ts';
import type { Reading } from '../../operators/types.ts';
import type { Profile, Sampling } from './signals.ts';
import { normal, reading, uniform } from './signals.ts';

/** What a sensor does to the truth, and what the filter is told of it. */
export interface Condition {
  readonly name: string;
  /** Standard deviation of the noise, and the value around which all happens. Default 0.5 and 85. */
  readonly noise?: number;
  readonly level?: number;
  /** R that is set, as a multiple of the true one. Default 1. */
  readonly told?: number;
  readonly options?: EstimateOptions;
  /** A number of variance 1. Default: normally distributed. */
  readonly draw?: (seed: number) => () => number;
  /** Share of readings that are 20 standard deviations off, to either side. */
  readonly spikes?: number;
  /** Resolution, in standard deviations of the noise. */
  readonly resolution?: number;
  /** Spacing between a tenth and nineteen tenths of the even one. */
  readonly irregular?: boolean;
  /** Share of readings without a value. */
  readonly missing?: number;
}

/** Student's t of 4 degrees of freedom, to variance 1: tails far heavier than normal. */
function studentT(seed: number): () => number {
  const next = normal(seed);
  return () => {
    const z = next();
    const chi = next() ** 2 + next() ** 2 + next() ** 2 + next() ** 2;
    return z / Math.sqrt(chi / 4) / Math.SQRT2;
  };
}

function even(seed: number): () => number {
  const next = uniform(seed);
  return () => (next() - 0.5) * Math.sqrt(12);
}

/** Autoregressive noise: each depends on the one before. */
function coloured(seed: number): () => number {
  const next = normal(seed);
  let last = next();
  return () => (last = 0.7 * last + Math.sqrt(1 - 0.49) * next());
}

const FIXED: EstimateOptions = { noiseCount: null };

export const CONDITIONS: readonly Condition[] = [
  { name: 'plain' },
  { name: 'R right, fixed', options: FIXED },
  { name: 'R four times too large, fixed', told: 4, options: FIXED },
  { name: 'R four times too small, fixed', told: 0.25, options: FIXED },
  { name: 'R four times too large', told: 4 },
  { name: 'R four times too small', told: 0.25 },
  { name: 'R 1000 times too large', told: 1000 },
  { name: 'R 1000 times too small', told: 0.001 },
  { name: '1 % spikes of 20 sigma', spikes: 0.01 },
  { name: '1 % spikes, old level held', spikes: 0.01, options: { unconfirmed: 'hold' } },
  { name: 'resolution of 1 sigma', resolution: 1 },
  { name: 'resolution of 4 sigma', resolution: 4 },
  { name: 'coloured noise, 0.7', draw: coloured },
  { name: 'irregular sampling', irregular: true },
  { name: '20 % missing', missing: 0.2 },
  { name: 'Student t, 4 degrees of freedom', draw: studentT },
  { name: 'evenly distributed noise', draw: even },
  { name: 'MPa: 2.5, sigma 0.01', noise: 0.01, level: 2.5 },
  { name: '1e5, sigma 400', noise: 400, level: 1e5 },
];

/** A run: the readings, and the truth at each. */
export interface Run {
  readonly readings: readonly Reading[];
  readonly truth: readonly number[];
  /** Readings long enough after the start and after each break: a fifth of the run, 30 s at most. */
  readonly settled: readonly boolean[];
}

export function makeRun(profile: Profile, sampling: Sampling, condition: Condition, seed: number): Run {
  const { hz, durationS, periodS } = sampling;
  const {
    noise = 0.5,
    level = 85,
    draw = normal,
    spikes = 0,
    resolution,
    irregular,
    missing = 0,
  } = condition;
  const next = draw(seed);
  // Apart from the noise, so that it is the same with and without.
  const chance = uniform(seed + 1e8);
  const waitS = Math.min(30, durationS / 5);
  const readings: Reading[] = [];
  const truth: number[] = [];
  const settled: boolean[] = [];
  for (let i = 0; i < hz * durationS; i++) {
    const t = irregular === true && i > 0 ? (i + 0.9 * (chance() - 0.5)) / hz : i / hz;
    const at = level + noise * profile.truth(t / durationS, t, periodS);
    let value: number | null = at + noise * next();
    if (spikes > 0 && chance() < spikes) value += 20 * noise * (chance() < 0.5 ? -1 : 1);
    if (resolution !== undefined) value = Math.round(value / (noise * resolution)) * (noise * resolution);
    if (missing > 0 && i > 0 && chance() < missing) value = null;
    readings.push(reading(t * 1000, value));
    truth.push(at);
    settled.push(profile.breaks.every((each) => t < each * durationS || t >= each * durationS + waitS));
  }
  return { readings, truth, settled };
}
