/**
 * The variance R of a sensor's noise, learned from its readings: mostly from what a filter leaves over; in the beginning kept
 * within bounds by what the filter has no part in.
 */
export interface NoiseState {
  /** R in force, unit^2, and at the start. */
  r: number;
  first: number;
  /** Readings that it was learned from, as far as that matters. */
  learned: number;
  /** Logarithm of R by differences of values that follow one another: rough, but whatever the filter says. */
  rough: number;
  /** The value before, and the smallest difference of two that follow one another: the resolution; 0 = not known yet. */
  last: number;
  resolution: number;
}

/** R stays within this factor of what it began with. */
const RANGE = 1e6;
/** The share of the first reading is 2 / HASTE; what R began with is soon forgotten. */
const HASTE = 10;
/** Readings before which nothing can be said of the noise, and after which what is said is trusted. */
const FEW = 5;
const MATURE = 40;
/** Squared residuals beyond so many times R do not count for more. */
const MAX_RESIDUAL = 9;
/** How far R may be from the rough one, a factor. */
const ROUGHLY = 4;
/** Differences below that share of the value are how numbers are written. */
const DIGITS = 1e-9;

export const noiseState = (r: number, z: number): NoiseState => ({
  r,
  first: r,
  learned: 0,
  rough: Math.log(r),
  last: z,
  resolution: 0,
});

export const isLearned = ({ learned }: NoiseState): boolean => learned >= MATURE;

/** Readings that agree neither with a filter nor with one another: the noise is another than it was. */
export function learnAnew(state: NoiseState): void {
  if (!isLearned(state)) return;
  state.learned = 0;
  state.rough = Math.log(state.r);
}

/**
 * Learns from a residual e after the update and the variance p of the estimate: E[e^2] + p = R (Mohamed and Schwarz 1999).
 * @returns the factor by which R changed.
 */
export function learnFromResidual(state: NoiseState, e: number, p: number, noiseCount: number): number {
  const sample = Math.min(e * e + p, MAX_RESIDUAL * state.r);
  const share = Math.max(1 / noiseCount, 2 / (state.learned + HASTE));
  const r = state.r + (sample - state.r) * share;
  // Rounding alone makes a twelfth of its step squared.
  return setTo(state, Math.max(r, (state.resolution * state.resolution) / 12));
}

/**
 * Learns from the difference d to the reading before: half noise, half process at worst. As long as R is new, that keeps it
 * within bounds, as a filter with an R that is far off takes the one for the other. E[ln d^2/2] = ln R - 1.27 for normal noise.
 * @returns the factor by which R changed.
 */
export function learnFromDifference(state: NoiseState, z: number, noiseCount: number): number {
  const difference = Math.abs(z - state.last);
  const least = DIGITS * Math.abs(z);
  state.last = z;
  if (difference === Infinity) return 1;
  if (difference > least && (state.resolution === 0 || difference < state.resolution))
    state.resolution = difference;
  state.learned = Math.min(state.learned + 1, MATURE + 2 * noiseCount);
  if (state.learned > MATURE) return 1;
  const sample = Math.max(difference, state.resolution / 4, least, Number.MIN_VALUE);
  state.rough += (2 * Math.log(sample) - Math.LN2 + 1.27 - state.rough) * (2 / (state.learned + HASTE));
  if (state.learned < FEW) return 1;
  const rough = Math.exp(state.rough);
  return setTo(state, Math.min(Math.max(state.r, rough / ROUGHLY), rough * ROUGHLY));
}

function setTo(state: NoiseState, r: number): number {
  const before = state.r;
  state.r = Math.min(Math.max(r, state.first / RANGE), state.first * RANGE);
  return state.r / before;
}
