import { sensorConfigFor } from '../../config/sensors.ts';
import { resolveEstimateOptions } from '../../operators/steps/estimate.ts';
import type { EstimateMode, EstimateOptions } from '../../operators/steps/estimate.ts';
import { meanLogDensity } from './innovations.ts';
import { minimise } from './minimise.ts';
import { withoutSpikes } from './noise.ts';
import { rounded } from './round.ts';
import type { Run } from './runs.ts';

/** What the fits need to know of the readings. */
export interface FitInput {
  readonly runs: readonly Run[];
  /** Standard deviation of the noise by differences: where the search starts; the values' unit. */
  readonly stdDev: number;
  /** The process moves by more than the noise between two readings: the search starts there. */
  readonly isLively?: boolean;
  /** R is no smaller than this, unit^2: what the resolution alone makes. */
  readonly leastVariance: number;
  /** Median interval, s. */
  readonly intervalS: number;
  /** From the first reading fitted to the last, s. */
  readonly durationS: number;
  /** Largest value minus smallest. */
  readonly span: number;
}

/** The bank of `adaptive`, as it is by default; the fit stretches and shrinks it. */
export const DEFAULTS = defaults();

function defaults(): {
  readonly accelerationNoise: Triple;
  readonly dwellS: Triple;
  readonly initialRateNoise: number;
} {
  const { kalman } = sensorConfigFor({ assets: {}, sensorTypes: {} }, '', '');
  if (!kalman) throw new Error('kalman is off by default');
  return kalman;
}

type Triple = readonly [number, number, number];
const triple = ([a, b, c]: Triple, factor: number): Triple => [
  rounded(a * factor),
  rounded(b * factor),
  rounded(c * factor),
];

/** The logarithms (base 10) of what is searched for, as options of the filter. */
type Model = (at: readonly number[], input: FitInput) => EstimateOptions;

const between = (low: number, value: number, high: number): number => Math.max(low, Math.min(high, value));

const variance = (log: number, { leastVariance, span }: FitInput): number =>
  rounded(between(leastVariance, 10 ** log, Math.max(leastVariance, span * span)));

/** No filter may remember for longer than this share of the recording: a process that seemed to stand still may move yet. */
const LONGEST_MEMORY = 0.2;

/**
 * Acceleration noise in multiples of R, from the logarithm of its share q dt^3 / R. The filter remembers for some
 * dt (4 R / (q dt^3))^(1/4), which bounds it from below.
 */
const intensity = (log: number, input: FitInput): number =>
  Math.max(leastIntensity(input), 10 ** Math.min(log, 4) / input.intervalS ** 3);

export const leastIntensity = ({ intervalS, durationS }: Pick<FitInput, 'intervalS' | 'durationS'>): number =>
  (4 * intervalS) / (LONGEST_MEMORY * durationS) ** 4;

const whiteAcceleration: Model = ([r = 0, q = 0], input) => {
  const second = rounded(intensity(q, input));
  const [first, , third] = DEFAULTS.accelerationNoise;
  // Only the second counts; the others keep to their sides of it.
  const others = { low: Math.min(first, second), high: Math.max(third, second) };
  return {
    mode: 'whiteAcceleration',
    measurementVariance: variance(r, input),
    accelerationNoise: [others.low, second, others.high],
  };
};

/** How lively, and on which scale of time: T times slower is T^3 times less acceleration noise, and dwelling T times longer. */
const adaptive: Model = ([r = 0, q = 0, t = 0], input) => {
  // A stay that is longer than the recording cannot be told from one that is longer still.
  const longest = Math.max(input.durationS, 100 * input.intervalS) / DEFAULTS.dwellS[1];
  const timeScale = between(1e-2 * longest, 10 ** t, longest);
  const factor = intensity(q, input) / DEFAULTS.accelerationNoise[1];
  return {
    mode: 'adaptive',
    measurementVariance: variance(r, input),
    accelerationNoise: triple(DEFAULTS.accelerationNoise, factor),
    dwellS: triple(DEFAULTS.dwellS, timeScale),
  };
};

const constantVelocity: Model = ([r = 0, q0 = 0, q1 = 0], input) => {
  const measurementVariance = variance(r, input);
  const { intervalS } = input;
  return {
    mode: 'constantVelocity',
    measurementVariance,
    processNoise: [
      rounded((between(1e-12, 10 ** q0, 1e6) * measurementVariance) / intervalS),
      rounded((between(1e-14, 10 ** q1, 1e4) * measurementVariance) / intervalS ** 3),
    ],
    initialVariance: [measurementVariance, rounded(measurementVariance / intervalS ** 2)],
  };
};

interface Search {
  readonly model: Model;
  readonly starts: (input: FitInput, white: readonly number[]) => readonly (readonly number[])[];
  readonly count: number;
}

const SEARCHES: Readonly<Record<EstimateMode, Search>> = {
  whiteAcceleration: {
    model: whiteAcceleration,
    starts: ({ stdDev, isLively = false }) =>
      (isLively ? [-1, 1, 2, 3, 4] : [-9, -7, -5, -3, -1]).map((q) => [2 * Math.log10(stdDev), q]),
    count: 45,
  },
  adaptive: {
    model: adaptive,
    starts: ({ intervalS }, [r = 0, q = 0]) =>
      [1, intervalS, intervalS * 30].flatMap((scale) =>
        [q, q + 1].map((share) => [r, share, Math.log10(scale)]),
      ),
    count: 50,
  },
  constantVelocity: {
    model: constantVelocity,
    starts: ({ stdDev }) =>
      [
        [-6, -6],
        [-6, -3],
        [-2, -9],
        [0, -9],
      ].map((q) => [2 * Math.log10(stdDev), ...q]),
    count: 70,
  },
};

/** Logarithms to the nearest of which the search is taken. */
const SIZE = 0.6;
const TOLERANCE = 0.02;
/** What a decade away from the default scale of time costs, a reading: where the recording does not tell, it stays there. */
const PULL = 2e-4;
/** The place of the logarithm of the scale of time; none in the modes without one. */
const TIME_SCALE: Readonly<Record<EstimateMode, number>> = {
  constantVelocity: -1,
  whiteAcceleration: -1,
  adaptive: 2,
};

/**
 * The options of the mode under which its filter foretells the readings best: largest innovation likelihood, with R
 * and process noise searched for together.
 */
export function fit(
  mode: EstimateMode,
  input: FitInput,
  white: readonly number[] = [],
): { readonly at: readonly number[]; readonly options: EstimateOptions } {
  const { model, starts, count } = SEARCHES[mode];
  // The reference takes spikes in: left in, they would pass for a lively process.
  const runs =
    mode === 'constantVelocity' ? input.runs.map((run) => withoutSpikes(run, input.stdDev)) : input.runs;
  const cost = (at: readonly number[]): number =>
    PULL * (at[TIME_SCALE[mode]] ?? 0) ** 2 -
    meanLogDensity(runs, resolveEstimateOptions({ ...model(at, input), noiseCount: null }), input.span);
  let best: { at: readonly number[]; value: number } | null = null;
  for (const at of starts(input, white)) {
    const value = cost(at);
    if (best === null || value < best.value) best = { at, value };
  }
  const { at } = minimise(cost, best?.at ?? [], { size: SIZE, tolerance: TOLERANCE, count });
  return { at, options: model(at, input) };
}
