import { NO_ISSUES } from '../../operators/types.ts';
import type { Reading } from '../../operators/types.ts';

/** Known truths with noise on top, for the figures and the plots of the estimates. */

/** A stretch of time, its sampling, and the lag of the second estimate. */
export interface Sampling {
  readonly hz: number;
  readonly durationS: number;
  /** Period of the sine. */
  readonly periodS: number;
  readonly lagMs: number;
}

export const SAMPLINGS: readonly Sampling[] = [
  { hz: 1, durationS: 300, periodS: 100, lagMs: 10_000 },
  { hz: 10, durationS: 50, periodS: 50, lagMs: 5000 },
  { hz: 10, durationS: 300, periodS: 100, lagMs: 5000 },
];

export interface Profile {
  readonly name: string;
  /** In standard deviations of the noise, 0.5 degC each, above or below `LEVEL`; `share` of the run, `t` in s. */
  truth(share: number, t: number, periodS: number): number;
  /** Where it breaks, as a share of the run. */
  readonly breaks: readonly number[];
}

export const PROFILES: readonly Profile[] = [
  { name: 'ramp', truth: (share) => 20 * share, breaks: [0] },
  { name: 'step', truth: (share) => (share < 0.5 ? 0 : 20), breaks: [0, 0.5] },
  { name: 'ramp, hold', truth: (share) => 20 * Math.min(1, 2 * share), breaks: [0, 0.5] },
  { name: 'sine', truth: (_, t, periodS) => 10 * Math.sin((2 * Math.PI * t) / periodS), breaks: [0] },
];

/** Not tuned to. */
export const OTHER_PROFILES: readonly Profile[] = [
  { name: 'constant', truth: () => 0, breaks: [0] },
  {
    name: 'triangle',
    truth: (_, t, periodS) => 20 * Math.abs(((t / periodS + 0.25) % 1) - 0.5) - 5,
    breaks: [0],
  },
  {
    name: 'first order',
    truth: (share, t, periodS) =>
      share < 0.25 ? 0 : 20 * (1 - Math.exp(-(t - t / share / 4) / (periodS / 5))),
    breaks: [0, 0.25],
  },
  {
    name: 'two sines',
    truth: (_, t, periodS) =>
      6 * Math.sin((2 * Math.PI * t) / periodS + 1) + 3 * Math.cos((4.6 * Math.PI * t) / periodS),
    breaks: [0],
  },
  {
    name: 'staircase',
    truth: (share) => [0, 15, 4, 24][Math.floor(share * 4)] ?? 24,
    breaks: [0, 0.25, 0.5, 0.75],
  },
];

/** Evenly distributed numbers in [0, 1), the same for the same seed (splitmix32). */
export function uniform(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Normally distributed numbers of variance 1 (Box and Muller 1958). */
export function normal(seed: number): () => number {
  const next = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

export const reading = (timestamp: number, value: number | null): Reading => ({
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
