import { describe, expect, it } from 'vitest';
import { anyNumbers, anySpacing, covarianceFault, figureFault } from '../../../bench/estimation/health.ts';

/** The long form: HEALTH_STEPS=10000000, or node bench/estimation/runHealth.ts. */
const STEPS = Number(process.env['HEALTH_STEPS'] ?? 8000);
const TIMEOUT_MS = 20_000 + STEPS;

describe('the numbers of all estimates', () => {
  it.each([1, 2])(
    'keep P symmetric and positive definite at any spacing (%i)',
    (seed) => {
      const { estimates, faults } = anySpacing(STEPS, seed);
      expect(faults).toEqual([]);
      expect(estimates).toBeGreaterThan(4.9 * STEPS);
    },
    TIMEOUT_MS,
  );

  it.each([1, 2])(
    'are finite for any finite values, times and options (%i)',
    (seed) => {
      const { estimates, faults } = anyNumbers(STEPS, seed);
      expect(faults).toEqual([]);
      expect(estimates).toBeGreaterThan(4 * STEPS);
    },
    TIMEOUT_MS,
  );

  it('would be found out', () => {
    const sound = { value: 1, ratePerS: 0, stdDev: 2, covariance: [4, 1, 1, 1] as const };
    expect([covarianceFault(sound), figureFault(sound)]).toEqual([null, null]);
    expect(covarianceFault({ ...sound, covariance: [4, 2, 2, 1] })).toContain('not positive definite');
    expect(covarianceFault({ ...sound, covariance: [4, 1, 0.5, 1] })).toContain('not symmetric');
    expect(covarianceFault({ ...sound, covariance: [4, 1, 1, -1] })).toContain('variances');
    expect(covarianceFault({ ...sound, stdDev: 1 })).toContain('stdDev');
    expect(figureFault({ ...sound, ratePerS: NaN })).toContain('not finite');
  });
});
