import type { ResolvedDiagnosis } from './diagnosisOptions.ts';

/**
 * Averages of the normalised innovations nu = residual / standard deviation of one quantity, with weights w_i that fade
 * exponentially in time, whatever the intervals:
 *
 *     sum = sum w_i    squares = sum w_i^2    mean = sum w_i nu_i    nis = sum w_i nu_i^2    product = sum w_i nu_i nu_(i-1)
 *
 * Where the model is right, nu is white with variance 1, so mean and product have variance `squares`.
 */
export interface Averages {
  sum: number;
  squares: number;
  mean: number;
  nis: number;
  product: number;
}

export interface QuantityStatistics {
  /** Time of its last measurement; null before the first. */
  lastS: number | null;
  /** The last innovation, normalised. */
  last: number;
  readonly short: Averages;
  readonly long: Averages;
}

/** What is far off counts as this, so that one spike is not a statement on the average. */
const MOST_NU = 4;
/** Averages of fewer measurements than this say nothing. */
const LEAST_COUNT = 30;
/** The shorter window, as a part of the longer one. */
const SHORT = 0.1;
const DAY_S = 86_400;

const averages = (): Averages => ({ sum: 0, squares: 0, mean: 0, nis: 0, product: 0 });
export const statistics = (): QuantityStatistics => ({
  lastS: null,
  last: 0,
  short: averages(),
  long: averages(),
});

export function addInnovation(
  of: QuantityStatistics,
  atS: number,
  innovation: number,
  windowS: number,
): void {
  const nu = Math.min(Math.max(innovation, -MOST_NU), MOST_NU);
  const dtS = of.lastS === null ? 0 : atS - of.lastS;
  if (dtS > 0) {
    add(of.short, nu, of.last, -Math.expm1(-dtS / (SHORT * windowS)));
    add(of.long, nu, of.last, -Math.expm1(-dtS / windowS));
  }
  of.lastS = atS;
  of.last = nu;
}

function add(to: Averages, nu: number, before: number, weight: number): void {
  const kept = 1 - weight;
  to.sum = kept * to.sum + weight;
  to.squares = kept * kept * to.squares + weight * weight;
  to.mean = kept * to.mean + weight * nu;
  to.nis = kept * to.nis + weight * nu * nu;
  to.product = kept * to.product + weight * nu * before;
}

export interface Judged {
  /** Mean innovation in standard deviations. */
  readonly bias: number;
  readonly nis: number;
  readonly autocorrelation: number;
  /** How far the worst of them is beyond what is tolerated, in standard deviations of its own; 0 = it is not. */
  readonly beyond: number;
}

/** NIS against chi-square by the cube root of Wilson and Hilferty (1931), the others against the normal distribution. */
export function judge({ sum, squares, mean, nis, product }: Averages, options: ResolvedDiagnosis): Judged {
  const count = sum > 0 ? (sum * sum) / squares : 0;
  if (!(count >= LEAST_COUNT)) return { bias: 0, nis: 1, autocorrelation: 0, beyond: 0 };
  const bias = mean / sum;
  const ratio = nis / sum;
  const autocorrelation = nis > 0 ? product / nis : 0;
  const root = Math.sqrt(count);
  const spread = 2 / (9 * count);
  const beyond = Math.max(
    0,
    (Math.abs(bias) - options.biasTolerance) * root,
    (Math.cbrt(ratio / (1 + options.nisTolerance)) - (1 - spread)) / Math.sqrt(spread),
    (Math.abs(autocorrelation) - options.correlationTolerance) * root,
  );
  return { bias, nis: ratio, autocorrelation, beyond };
}

/**
 * The threshold h for `beyond` that is crossed by chance `falseAlarmsPerDay` times: an average that fades with time constant
 * T is an Ornstein-Uhlenbeck process, which gets beyond +-h in 2 h phi(h) / T of the time (Kramers 1940), and there are three of
 * them a window and quantity.
 */
export function thresholdOf(quantities: number, { windowMs, falseAlarmsPerDay }: ResolvedDiagnosis): number {
  const windowS = windowMs / 1000;
  const many = 3 * Math.max(1, quantities) * DAY_S * (1 / windowS + 1 / (SHORT * windowS));
  const rate = (h: number): number => (2 * h * many * Math.exp((-h * h) / 2)) / Math.sqrt(2 * Math.PI);
  let [low, high] = [1, 40];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (rate(middle) > falseAlarmsPerDay) low = middle;
    else high = middle;
  }
  return high;
}
