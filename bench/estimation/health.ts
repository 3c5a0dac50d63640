import {
  estimateInitialState,
  estimateStep,
  resolveEstimateOptions,
} from '../../operators/steps/estimate.ts';
import type { EstimateMode, EstimateOptions } from '../../operators/steps/estimate.ts';
import { resolveSmoothOptions, smoothFlush, smoothState, smoothStep } from '../../operators/steps/smooth.ts';
import type { Estimate, Reading } from '../../operators/types.ts';
import { reading, uniform } from './signals.ts';

/**
 * Whether the numbers of the estimates stay in order, whatever comes in: test/operators/steps/estimateHealth.test.ts runs a
 * few thousand steps, `node bench/estimation/runHealth.ts` ten million.
 */
export interface Health {
  readonly steps: number;
  /** Estimates looked at, smoothed ones included. */
  readonly estimates: number;
  /** What was wrong with an estimate, the first few. */
  readonly faults: readonly string[];
}

type Figures = Pick<Estimate, 'value' | 'ratePerS' | 'stdDev' | 'covariance'> & {
  readonly innovation?: number | null;
  readonly nis?: number | null;
};

/** Why P is not symmetric and positive definite as it stands, by the pivots of its Cholesky factors; or null. */
export function covarianceFault({ covariance: [p00, p01, p10, p11], stdDev }: Figures): string | null {
  if (p01 !== p10) return `not symmetric: ${p01}, ${p10}`;
  if (!(p00 > 0 && p11 > 0)) return `variances ${p00}, ${p11}`;
  if (!(p11 - p01 * (p01 / p00) > 0)) return `not positive definite: ${p00}, ${p01}, ${p11}`;
  return Math.abs(stdDev - Math.sqrt(p00)) <= 1e-12 * stdDev ? null : `stdDev ${stdDev} of ${p00}`;
}

export function figureFault({
  value,
  ratePerS,
  stdDev,
  covariance,
  innovation,
  nis,
}: Figures): string | null {
  const figures = [value, ratePerS, stdDev, ...covariance, innovation ?? 0, nis ?? 0];
  if (!figures.every(Number.isFinite)) return `not finite: ${figures.join(', ')}`;
  return covariance[0] >= 0 && covariance[3] >= 0 ? null : `variances ${covariance[0]}, ${covariance[3]}`;
}

const MODES: readonly EstimateMode[] = ['constantVelocity', 'whiteAcceleration', 'adaptive'];

/** All modes, and the smoother of the two that have one, side by side. */
function rig(options: EstimateOptions, check: (figures: Figures) => string | null): Rig {
  const faults: string[] = [];
  let estimates = 0;
  const look = (what: string, figures: Figures | null): void => {
    if (figures === null) return;
    estimates += 1;
    const fault = check(figures);
    if (fault !== null && faults.length < 5) faults.push(`${what}, ${JSON.stringify(options)}: ${fault}`);
  };
  const filters = MODES.map((mode) => {
    const resolved = resolveEstimateOptions({ ...options, mode });
    const state = estimateInitialState(mode);
    return (each: Reading): void => look(mode, estimateStep(state, each, resolved));
  });
  const { processNoise: _, initialVariance: _v, unconfirmed: _u, ...shared } = options;
  const smoothers = (['whiteAcceleration', 'adaptive'] as const).map((mode) => {
    const resolved = resolveSmoothOptions({ ...shared, mode, lagMs: 5000, maxReadings: 6 });
    const state = smoothState();
    const emit = ({ smoothed }: { smoothed: Figures }): void => look(`smoothed ${mode}`, smoothed);
    return {
      next: (each: Reading): void => smoothStep(state, each, resolved, emit),
      flush: () => smoothFlush(state, emit),
    };
  });
  return {
    next: (each) => {
      for (const filter of filters) filter(each);
      for (const smoother of smoothers) smoother.next(each);
    },
    close: () => {
      for (const smoother of smoothers) smoother.flush();
      return { estimates, faults };
    },
  };
}

interface Rig {
  readonly next: (each: Reading) => void;
  readonly close: () => Omit<Health, 'steps'>;
}

/** Any spacing from a millisecond to a day, in any order: P must stay symmetric and positive definite. */
export function anySpacing(steps: number, seed: number): Health {
  const next = uniform(seed);
  const { next: take, close } = rig({ measurementVariance: 0.25 }, (figures) => {
    return covarianceFault(figures) ?? figureFault(figures);
  });
  let [ms, level] = [0, 85];
  for (let i = 0; i < steps; i++) {
    // A thousand steps of each kind: anywhere between, from one end to the other, a run of equal ones.
    const kind = Math.floor(i / 1000) % 4;
    const log = kind === 0 ? 8 * next() - 3 : kind === 1 ? (i % 2 === 0 ? -3 : 5) : kind === 2 ? -3 : 5;
    ms += 1000 * 10 ** log;
    if (next() < 0.001) level = 85 + 100 * (next() - 0.5);
    const missing = next() < 0.1;
    take(reading(ms, missing ? null : level + next() - 0.5));
  }
  return { steps, ...close() };
}

const NUMBERS = [0, 1, 85, 5e-324, 1e-310, 1e-160, 1e160, 1e300, Number.MAX_VALUE];
const POSITIVE = NUMBERS.filter((each) => each > 0);
const SPACINGS = [0, -1, -1e9, 1e-3, 1, 1000, 1e8, 1e12, 1e15];

/** Any finite value, time and options: no figure may be anything but finite. */
export function anyNumbers(steps: number, seed: number): Health {
  const next = uniform(seed);
  const of = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] ?? (list[0] as T);
  const positive = (usual: number): number => (next() < 0.5 ? usual : of(POSITIVE));
  const faults: string[] = [];
  let estimates = 0;
  for (let i = 0; i < steps; i += 100) {
    const { next: take, close } = rig(
      {
        measurementVariance: positive(0.25),
        initialVariance: [of(NUMBERS), of(NUMBERS)],
        processNoise: [of(NUMBERS), of(NUMBERS)],
        accelerationNoise: [positive(2e-7), positive(0.008), positive(0.05)],
        initialRateNoise: positive(0.5),
        dwellS: [positive(6000), positive(1500), positive(100)],
        shiftNis: next() < 0.2 ? null : positive(25),
        confirmCount: of([1, 2, 3, 1000]),
        unconfirmed: of(['likelier', 'follow', 'hold'] as const),
        noiseCount: of([null, 10, 200, 1e9]),
      },
      figureFault,
    );
    let ms = 0;
    const calm = next() < 0.3;
    for (let k = 0; k < 100; k++) {
      ms += calm ? 1000 : of(SPACINGS);
      const sign = next() < 0.5 ? -1 : 1;
      take(reading(ms, next() < 0.1 ? null : sign * (next() < 0.3 ? 100 * next() : of(NUMBERS))));
    }
    const result = close();
    estimates += result.estimates;
    if (faults.length < 5) faults.push(...result.faults);
  }
  return { steps, estimates, faults };
}
