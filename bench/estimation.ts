import { parseArgs } from 'node:util';
import { estimateInitialState, estimateStep, resolveEstimateOptions } from '../operators/steps/estimate.ts';
import type { EstimateOptions } from '../operators/steps/estimate.ts';
import { resolveSmoothOptions, smoothFlush, smoothState, smoothStep } from '../operators/steps/smooth.ts';
import type { SmoothedReading } from '../operators/steps/smooth.ts';
import { NO_ISSUES } from '../operators/types.ts';
import type { Reading } from '../operators/types.ts';

/*
 * node bench/estimation.ts [--seeds 1000] [--first 1] [--mode adaptive] [--set '{"dwellS": [9000, 900, 90]}']
 *
 * How much nearer to the truth estimates are than what was measured: 100 (1 - MSE_estimate / MSE_raw), a run from its
 * first reading to its last, mean over the seeds. Noise of standard deviation 0.5, independent. Then NIS, and the share
 * of truth within 1.96 standard deviations of the estimate, once settled: a fifth of the run, 30 s at most, after the
 * start and after each break of the profile.
 */

const NOISE = 0.5;
const LEVEL = 85;

interface Sampling {
  readonly hz: number;
  readonly durationS: number;
  readonly periodS: number;
  readonly lagMs: number;
}

const SAMPLINGS: readonly Sampling[] = [
  { hz: 1, durationS: 300, periodS: 100, lagMs: 10_000 },
  { hz: 10, durationS: 50, periodS: 50, lagMs: 5000 },
  { hz: 10, durationS: 300, periodS: 100, lagMs: 5000 },
];

interface Profile {
  readonly name: string;
  /** `share` of the run, time in s. */
  truth(share: number, t: number, periodS: number): number;
  /** Where it breaks, as a share of the run. */
  readonly breaks: readonly number[];
}

const PROFILES: readonly Profile[] = [
  { name: 'ramp', truth: (share) => LEVEL + 10 * share, breaks: [0] },
  { name: 'step', truth: (share) => LEVEL + (share < 0.5 ? 0 : 10), breaks: [0, 0.5] },
  { name: 'ramp, hold', truth: (share) => LEVEL + 10 * Math.min(1, 2 * share), breaks: [0, 0.5] },
  { name: 'sine', truth: (_, t, periodS) => LEVEL + 5 * Math.sin((2 * Math.PI * t) / periodS), breaks: [0] },
];

/** Normally distributed numbers, the same for the same seed (splitmix32, Box and Muller 1958). */
function normal(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1);
  const uniform = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Sums over the readings of all runs, and over the runs. */
class Tally {
  reduction = 0;
  within = 0;
  settled = 0;
  nis = 0;
  nisCount = 0;

  get figures(): string {
    return `${this.reduction.toFixed(1)} % (${((100 * this.within) / this.settled).toFixed(1)} %)`;
  }
}

interface Point {
  readonly value: number;
  readonly stdDev: number;
}

function add(
  tally: Tally,
  points: readonly Point[],
  truth: readonly number[],
  settled: readonly boolean[],
  raw: number,
): void {
  let squares = 0;
  points.forEach(({ value, stdDev }, i) => {
    const error = value - (truth[i] ?? NaN);
    squares += error * error;
    if (settled[i] !== true) return;
    tally.settled += 1;
    if (Math.abs(error) <= 1.96 * stdDev) tally.within += 1;
  });
  tally.reduction += 100 * (1 - squares / raw);
}

function measure(
  profile: Profile,
  sampling: Sampling,
  options: EstimateOptions,
  seeds: readonly number[],
): [Tally, Tally] {
  const { hz, durationS, periodS, lagMs } = sampling;
  const count = hz * durationS;
  const times = Array.from({ length: count }, (_, i) => i / hz);
  const truth = times.map((t) => profile.truth(t / durationS, t, periodS));
  const waitS = Math.min(30, durationS / 5);
  const settled = times.map((t) =>
    profile.breaks.every((at) => t < at * durationS || t >= at * durationS + waitS),
  );
  const resolved = resolveEstimateOptions(options);
  const { mode, unconfirmed: _, processNoise: _q, ...shared } = options;
  const smoothing =
    mode === undefined || mode === 'constantVelocity'
      ? null
      : resolveSmoothOptions({ ...shared, mode, lagMs });
  const online = new Tally();
  const lagged = new Tally();
  for (const seed of seeds) {
    const noise = normal(seed);
    const readings = times.map((t, i) => reading(t * 1000, (truth[i] ?? NaN) + NOISE * noise()));
    const raw = readings.reduce((sum, { value }, i) => sum + ((value ?? NaN) - (truth[i] ?? NaN)) ** 2, 0);
    const state = estimateInitialState();
    const estimates = readings.flatMap((each) => estimateStep(state, each, resolved) ?? []);
    for (const { nis } of estimates) {
      if (nis === null) continue;
      online.nis += nis;
      online.nisCount += 1;
    }
    add(online, estimates, truth, settled, raw);
    if (smoothing === null) continue;
    const smoothed: SmoothedReading[] = [];
    const emit = (result: SmoothedReading): number => smoothed.push(result);
    const held = smoothState();
    for (const each of readings) smoothStep(held, each, smoothing, emit);
    smoothFlush(held, emit);
    if (smoothed.length !== count) throw new Error(`${smoothed.length} smoothed readings of ${count}`);
    add(
      lagged,
      smoothed.map((each) => each.smoothed),
      truth,
      settled,
      raw,
    );
  }
  online.reduction /= seeds.length;
  lagged.reduction /= seeds.length;
  return [online, lagged];
}

const reading = (timestamp: number, value: number): Reading => ({
  asset: 'R101',
  sensor: 'temperature',
  timestamp,
  value,
  unit: 'degC',
  quality: 'Good',
  issues: NO_ISSUES,
  imputed: false,
  received: null,
});

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    mode: { type: 'string', default: 'all' },
    set: { type: 'string', default: '{}' },
  },
});
const first = Number(values.first);
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => first + i);

const set = JSON.parse(values.set) as EstimateOptions;
const settings: readonly EstimateOptions[] = [
  { mode: 'constantVelocity', measurementVariance: NOISE ** 2, ...set },
  { mode: 'whiteAcceleration', measurementVariance: NOISE ** 2, ...set },
  { mode: 'adaptive', measurementVariance: NOISE ** 2, ...set },
];
for (const options of settings.filter(({ mode }) => values.mode === 'all' || values.mode === mode)) {
  console.log(`\n${options.mode}: error reduction (truth within the 95 % band once settled), mean NIS`);
  console.log('| sampling | estimate | ramp | step | ramp, hold | sine | NIS |');
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  for (const sampling of SAMPLINGS) {
    const results = PROFILES.map((profile) => measure(profile, sampling, options, seeds));
    const name = `${sampling.hz} Hz, ${sampling.durationS} s`;
    const nis = results.map(([{ nis: sum, nisCount }]) => (sum / nisCount).toFixed(2)).join(' ');
    console.log(`| ${name} | online | ${results.map(([online]) => online.figures).join(' | ')} | ${nis} |`);
    if (options.mode === 'constantVelocity') continue;
    const lag = `lag ${sampling.lagMs / 1000} s`;
    console.log(`| ${name} | ${lag} | ${results.map(([, lagged]) => lagged.figures).join(' | ')} | |`);
  }
}
