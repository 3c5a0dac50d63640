import { describe, expect, it } from 'vitest';
import { normal } from '../../../bench/estimation/signals.ts';
import {
  isLearned,
  learnAnew,
  learnFromDifference,
  learnFromResidual,
  noiseState,
} from '../../../operators/steps/noise.ts';

/** Noise of standard deviation 1 around a level that is known: the residual is the noise itself. */
function learned(first: number, count: number, value = normal(77)): ReturnType<typeof noiseState> {
  const state = noiseState(first, value());
  for (let i = 0; i < count; i++) {
    const z = value();
    learnFromDifference(state, z, 200);
    learnFromResidual(state, z, 0, 200);
  }
  return state;
}

describe('the noise', () => {
  it.each([1e-3, 0.25, 1, 4, 1e3])('is found from R = %d within 100 readings', (first) => {
    const { r } = learned(first, 100);
    expect(r).toBeGreaterThan(0.6);
    expect(r).toBeLessThan(1.6);
  });

  it('stays at what is right', () => {
    expect(learned(1, 5000).r).toBeCloseTo(1, 0);
    expect(Math.abs(learned(1, 5000).r - 1)).toBeLessThan(0.25);
  });

  it('is no less than what rounding makes', () => {
    const next = normal(5);
    // Steps of 2, while the signal itself is hardly noisy: most values are the same.
    const { r, resolution } = learned(1, 3000, () => 2 * Math.round(0.3 * next()));
    expect(resolution).toBe(2);
    expect(r).toBeGreaterThanOrEqual(4 / 12);
  });

  it('does not take the last digit of a number for a resolution', () => {
    const state = noiseState(1, 0.1);
    learnFromDifference(state, 0.1 + 1e-17 + 2e-17, 200);
    expect(state.resolution).toBe(0);
  });

  it('counts one residual for nine times R at most', () => {
    const state = learned(1, 200);
    const before = state.r;
    learnFromResidual(state, 1000, 0, 200);
    expect(state.r / before).toBeCloseTo(1 + 8 / 120, 1);
  });

  it('says by which factor it changed', () => {
    const state = noiseState(2, 0);
    const factor = learnFromResidual(state, 0, 1, 200);
    expect(state.r).toBeCloseTo(2 * factor, 12);
    expect(factor).toBeLessThan(1);
  });

  it('is learned quickly again when told so, and only once it was known', () => {
    const state = noiseState(1, 0);
    expect(isLearned(state)).toBe(false);
    const known = learned(1, 50);
    expect(isLearned(known)).toBe(true);
    learnAnew(known);
    expect(isLearned(known)).toBe(false);
    const young = learned(1, 20);
    learnAnew(young);
    expect(young.learned).toBe(20);
  });
});
