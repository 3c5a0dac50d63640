import { integerBetween, numberAbove, numberAtLeast } from '../options.ts';
import type { Reading } from '../types.ts';
import type { AdaptiveOptions } from './adaptive.ts';
import { meanNoise, mergedJerk } from './bank.ts';
import type { Bank } from './bank.ts';
import { bankAdvance, estimateInitialState, resolveEstimateOptions } from './estimate.ts';
import type { EstimateOptions, EstimateState } from './estimate.ts';
import { trackCovariance, trackIsFinite } from './track.ts';
import type { Track } from './track.ts';
import { trackSmooth } from './trackSmooth.ts';

export interface SmoothOptions extends Omit<EstimateOptions, 'mode' | 'unconfirmed' | 'processNoise'> {
  /** Default `adaptive`. */
  readonly mode?: 'whiteAcceleration' | 'adaptive';
  /** How far a smoothed estimate stays behind the newest reading, ms of source time. > 0. Default 10 000. */
  readonly lagMs?: number;
  /** Smoothed estimates come together, so often, that much later: cheaper. ms of source time. >= 0. Default 0: one by one. */
  readonly everyMs?: number;
  /** Readings held at most; beyond, the lag is shorter. Integer >= 2. Default 1000. */
  readonly maxReadings?: number;
}

export interface ResolvedSmoothOptions {
  readonly lagMs: number;
  readonly everyMs: number;
  readonly maxReadings: number;
  readonly adaptive: AdaptiveOptions;
}

/** A second estimate, which knows what came afterwards. */
export interface SmoothedEstimate {
  /** In the reading's unit. */
  readonly value: number;
  /** Rate of change, unit per second. */
  readonly ratePerS: number;
  /** Standard deviation of `value`. */
  readonly stdDev: number;
  /** P row by row: [p00, p01, p10, p11]. */
  readonly covariance: readonly [number, number, number, number];
  /** How much of what came afterwards it knows, ms of source time: `lagMs` or more, less at the end of a stream. */
  readonly lagMs: number;
}

export interface SmoothedReading extends Reading {
  readonly smoothed: SmoothedEstimate;
}

type Noise = ReturnType<typeof meanNoise>;

/** How the filter came to a reading, and what it then knew. */
interface Step {
  readonly track: Track;
  /** Noise on acceleration and jerk since the reading before. */
  readonly noise: Noise;
  /** Nothing before is of use for what follows: the first reading, or a new level. */
  readonly cut: boolean;
}

interface Entry {
  readonly reading: Reading;
  /** Time since the first reading as the filter counts it, s. */
  readonly at: number;
  readonly dtS: number;
  step: Step;
  /** What holds in the place of `step` if the new level is believed. */
  readonly rival: Step | null;
}

export interface SmoothState {
  filter: EstimateState;
  at: number;
  /** Oldest first. */
  held: Entry[];
}

export const smoothState = (): SmoothState => ({ filter: estimateInitialState('adaptive'), at: 0, held: [] });

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveSmoothOptions(options: SmoothOptions): ResolvedSmoothOptions {
  const { lagMs, everyMs, maxReadings, ...filter } = options;
  const { adaptive } = resolveEstimateOptions({
    ...filter,
    mode: filter.mode ?? 'adaptive',
    unconfirmed: 'hold',
  });
  return {
    lagMs: numberAbove('lagMs', lagMs ?? 10_000, 0),
    everyMs: numberAtLeast('everyMs', everyMs ?? 0, 0),
    maxReadings: integerBetween('maxReadings', maxReadings ?? 1000, 2),
    adaptive,
  };
}

/** Takes a reading in; emits the readings that are `lagMs` behind it, oldest first. */
export function smoothStep(
  state: SmoothState,
  reading: Reading,
  options: ResolvedSmoothOptions,
  emit: (smoothed: SmoothedReading) => void,
): void {
  const advance = bankAdvance(state.filter, reading, options.adaptive);
  const bank = state.filter.bank ?? null;
  if (advance === null || bank === null) return;
  const { dtS, result } = advance;
  state.at += dtS;
  const { models } = options.adaptive;
  const step = (of: Bank, cut: boolean): Step => ({
    track: mergedJerk(of),
    noise: meanNoise(of, models, bank.noise.r),
    cut,
  });
  const moved = result?.outcome === 'moved';
  const fresh = result?.fresh ?? true;
  if (moved && !fresh) believeRival(state.held);
  state.held.push({
    reading,
    at: state.at,
    dtS,
    step: step(bank.bank, result === null || (moved && fresh)),
    rival: bank.rival && step(bank.rival, fresh),
  });
  release(state, options, emit);
}

/** The end of the stream: emits what is held, with the lag that it has. */
export function smoothFlush(state: SmoothState, emit: (smoothed: SmoothedReading) => void): void {
  emitFirst(state, state.held.length, emit);
}

/** The new level is dated back to its first reading. */
function believeRival(held: Entry[]): void {
  for (const entry of held.toReversed()) {
    if (entry.rival === null) return;
    entry.step = entry.rival;
    if (entry.rival.cut) return;
  }
}

function release(
  state: SmoothState,
  { lagMs, everyMs, maxReadings }: ResolvedSmoothOptions,
  emit: (smoothed: SmoothedReading) => void,
): void {
  const { held, at } = state;
  const age = (entry: Entry | undefined): number => (entry === undefined ? -1 : (at - entry.at) * 1000);
  // Sums of source times are a little short at times.
  const lag = lagMs * (1 - 1e-9);
  let due = Math.max(0, held.length - maxReadings);
  if (age(held[0]) >= lag + everyMs) while (age(held[due]) >= lag) due += 1;
  emitFirst(state, due, emit);
}

/** Goes back from the newest reading to the oldest, and emits and forgets the `count` oldest. */
function emitFirst(state: SmoothState, count: number, emit: (smoothed: SmoothedReading) => void): void {
  if (count === 0) return;
  const { held, at } = state;
  const results: SmoothedReading[] = [];
  let after: Entry | null = null;
  let later: Track | null = null;
  for (let i = held.length - 1; i >= 0; i--) {
    const entry = held[i];
    if (entry === undefined) continue;
    const { track } = entry.step;
    if (after === null || later === null || after.step.cut) later = track;
    else {
      const back: Track = trackSmooth(
        track,
        after.dtS,
        after.step.noise.acceleration,
        after.step.noise.jerk,
        later,
      );
      later = trackIsFinite(back) ? back : track;
    }
    after = entry;
    if (i < count) results.push(smoothed(entry.reading, later, (at - entry.at) * 1000));
  }
  held.splice(0, count);
  for (const result of results.reverse()) emit(result);
}

const smoothed = (reading: Reading, track: Track, lagMs: number): SmoothedReading => ({
  ...reading,
  smoothed: {
    value: track.x0,
    ratePerS: track.x1,
    stdDev: Math.sqrt(track.p),
    covariance: trackCovariance(track),
    lagMs,
  },
});
