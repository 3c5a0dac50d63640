import { describe, expect, it } from 'vitest';
import {
  bankAt,
  bankPredict,
  bankUpdate,
  meanNoise,
  merged,
  mergedJerk,
  mergedValue,
  startWeights,
} from '../../../operators/steps/bank.ts';
import type { Model } from '../../../operators/steps/bank.ts';
import { trackAt } from '../../../operators/steps/track.ts';

const MODELS: readonly Model[] = [
  { noise: 'acceleration', intensity: 2e-7, accelerationVariance: 0, dwellS: 6000 },
  { noise: 'jerk', intensity: 5e-5, accelerationVariance: 1e-4, dwellS: 1500 },
  { noise: 'jerk', intensity: 1e-3, accelerationVariance: 1e-3, dwellS: 100 },
];
const R = 0.25;
const fresh = (): ReturnType<typeof bankAt> => bankAt(85, 0, R, 0.1, startWeights(3), MODELS);

describe('the bank', () => {
  it('moves probability between models as their dwell times say', () => {
    const bank = fresh();
    bank.weights = [0, 0, 1];
    bankPredict(bank, 100, MODELS, R);
    // Half of it leaves within its dwell time, to any of the three.
    [1 / 6, 1 / 6, 0.5 + 1 / 6].forEach((each, i) => expect(bank.weights[i]).toBeCloseTo(each, 12));
  });

  it('believes the quiet model in quiet times, a lively one when the signal turns', () => {
    const bank = fresh();
    const feed = (z: number): void => {
      bankPredict(bank, 1, MODELS, R);
      bankUpdate(bank, z, R);
    };
    for (let i = 0; i < 200; i++) feed(85 + 0.5 * Math.sin(i * 2.4));
    expect(bank.weights[0]).toBeGreaterThan(0.9);
    for (let i = 0; i < 30; i++) feed(85 + 0.02 * i * i + 0.5 * Math.sin(i * 2.4));
    expect(bank.weights[0]).toBeLessThan(0.05);
    // Its acceleration is 0.04 a s^2.
    expect(mergedJerk(bank).x2).toBeCloseTo(0.04, 2);
  });

  it('keeps every model possible, and weights that sum to one', () => {
    const bank = fresh();
    bankUpdate(bank, 1e6, R);
    expect(Math.min(...bank.weights)).toBeGreaterThanOrEqual(1e-6 / 1.01);
    expect(bank.weights.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 12);
    bankUpdate(bank, 1.7e308, R);
    expect(bank.weights.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 12);
  });

  it('does not share tracks with another bank', () => {
    const [one, alone] = [fresh(), fresh()];
    const other = fresh();
    for (let i = 0; i < 5; i++) {
      bankPredict(one, 1, MODELS, R);
      bankPredict(other, 2, MODELS, R);
      bankUpdate(other, 90, R);
    }
    for (let i = 0; i < 5; i++) bankPredict(alone, 1, MODELS, R);
    expect(one).toEqual(alone);
  });
});

it('merges: the value alone is that of the whole', () => {
  const bank = fresh();
  bankPredict(bank, 3, MODELS, R);
  bankUpdate(bank, 86, R);
  const { x0, p } = merged(bank, trackAt(0, 0, 0, 0, 0));
  const value = mergedValue(bank, { x0: 0, p: 0 });
  expect(value.x0).toBeCloseTo(x0, 12);
  expect(value.p).toBeCloseTo(p, 12);
});

it('takes the mean of the noise by kind', () => {
  const bank = { ...fresh(), weights: [0.5, 0.25, 0.25] };
  const { acceleration, jerk } = meanNoise(bank, MODELS, 2);
  expect(acceleration).toBeCloseTo(2e-7, 15);
  expect(jerk).toBeCloseTo(0.5 * 1.05e-3, 12);
});
