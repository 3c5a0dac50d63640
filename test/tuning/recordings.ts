import { createRandom } from '../../src/plant/random.ts';
import type { Run } from '../../src/tuning/runs.ts';

export interface Simulated {
  readonly run: Run;
  readonly truth: readonly number[];
}

export type Profile = (share: number, seconds: number) => number;

/** Around 85, as of a reactor's temperature; `share` of the recording. */
export const PROFILES: Readonly<Record<'ramp' | 'step' | 'sine' | 'still', Profile>> = {
  ramp: (share) => 85 + 10 * share,
  step: (share) => 85 + (share < 0.4 ? 0 : 10),
  sine: (_, seconds) => 85 + 5 * Math.sin((2 * Math.PI * seconds) / 100),
  still: () => 85,
};

/** A recording with independent, normal noise. */
export function simulate(
  profile: Profile,
  { seed, hz, count = 3000, stdDev = 0.5 }: { seed: number; hz: number; count?: number; stdDev?: number },
): Simulated {
  const random = createRandom(seed);
  const times = Float64Array.from({ length: count }, (_, i) => 1.7e12 + (i * 1000) / hz);
  const truth = Array.from(times, (_, i) => profile(i / count, i / hz));
  return {
    run: { times, values: Float64Array.from(truth, (each) => each + stdDev * random.normal()) },
    truth,
  };
}

/** A random walk of the rate: acceleration noise of a known intensity q (unit^2/s^3), with measurement noise. */
export function wander(q: number, r: number, seed: number, count: number): Run {
  const random = createRandom(seed);
  let [value, rate] = [85, 0];
  const times = Float64Array.from({ length: count }, (_, i) => 1.7e12 + i * 1000);
  const values = times.map(() => {
    // One second of white acceleration: [[1/3, 1/2], [1/2, 1]] q, by its Cholesky factor.
    const [a, b] = [random.normal() * Math.sqrt(q), random.normal() * Math.sqrt(q)];
    value += rate + a / Math.sqrt(3);
    rate += (a * Math.sqrt(3)) / 2 + b / 2;
    return value + Math.sqrt(r) * random.normal();
  });
  return { times, values };
}
