import { describe, expect, it } from 'vitest';
import {
  estimateInitialState,
  estimateStep,
  resolveEstimateOptions,
} from '../../../operators/steps/estimate.ts';
import type { EstimateOptions } from '../../../operators/steps/estimate.ts';
import { NO_ISSUES } from '../../../operators/types.ts';
import type { Estimate, Reading } from '../../../operators/types.ts';

const reading = (timestamp: number, value: number | null, more: Partial<Reading> = {}): Reading => ({
  asset: 'R101',
  sensor: 'temperature',
  timestamp,
  value,
  unit: 'degC',
  quality: 'Good',
  issues: NO_ISSUES,
  imputed: false,
  received: null,
  ...more,
});

function run(readings: readonly Reading[], options: EstimateOptions = {}): (Estimate | null)[] {
  const state = estimateInitialState();
  const resolved = resolveEstimateOptions(options);
  return readings.map((each) => estimateStep(state, each, resolved));
}

/** One textbook predict and update from [85, 0] and P = I over dt seconds. */
function secondEstimate(dt: number, z: number): { value: number; p00: number; y: number; s: number } {
  const p00 = 1 + dt * dt + 0.01 * dt;
  const s = p00 + 0.5;
  const y = z - 85;
  return { value: 85 + (p00 / s) * y, p00: (p00 * 0.5) / s, y, s };
}

describe('estimateStep', () => {
  it('starts at the first value with the initial variance and no innovation', () => {
    const [first] = run([reading(0, 85)], { initialVariance: [4, 9] });
    expect(first).toEqual({
      value: 85,
      ratePerS: 0,
      stdDev: 2,
      covariance: [4, 0, 0, 9],
      innovation: null,
      nis: null,
    });
  });

  it.each([1, 0.25, 3600])('takes dt = %d s from the source times', (dt) => {
    const estimates = run([reading(0, 85), reading(dt * 1000, 86)]);
    const expected = secondEstimate(dt, 86);
    expect(estimates[1]?.value).toBeCloseTo(expected.value, 11);
    expect(estimates[1]?.covariance[0]).toBeCloseTo(expected.p00, 11);
    expect(estimates[1]?.innovation).toBe(1);
    expect(estimates[1]?.nis).toBeCloseTo(1 / expected.s, 12);
  });

  it.each([
    ['Bad', reading(1000, 500, { quality: 'Bad' })],
    ['missing', reading(1000, null)],
    ['imputed', reading(1000, 85, { imputed: true, quality: 'Uncertain' })],
  ])('predicts over what is %s', (_, gap) => {
    const [, over] = run([reading(0, 85), gap]);
    expect(over).toMatchObject({ value: 85, innovation: null, nis: null });
    expect(over?.covariance[0]).toBeCloseTo(1 + 1 + 0.01, 12);
  });

  it('feeds an Uncertain reading in', () => {
    const [, second] = run([reading(0, 85), reading(1000, 120, { quality: 'Uncertain' })]);
    expect(second?.innovation).toBe(35);
  });

  it('has no estimate before the first usable value', () => {
    expect(
      run([reading(0, null), reading(1, 3, { quality: 'Bad' }), reading(2, 7)]).map((e) => e?.value),
    ).toEqual([undefined, undefined, 7]);
  });

  it('takes a repeated time as an update without a predict', () => {
    const [, second] = run([reading(0, 85), reading(0, 86)]);
    expect(second?.value).toBeCloseTo(85 + 1 / 1.5, 12);
    expect(second?.covariance[0]).toBeCloseTo(0.5 / 1.5, 12);
    expect(second?.covariance[3]).toBe(1);
  });

  it('does not take in a reading that came late', () => {
    const late = reading(500, 40, { quality: 'Uncertain', issues: [{ check: 'order', message: 'late' }] });
    const [, second, third, fourth] = run([reading(0, 85), reading(1000, 86), late, reading(2000, 87)]);
    expect(third).toEqual({ ...second, innovation: null, nis: null });
    const [, , direct] = run([reading(0, 85), reading(1000, 86), reading(2000, 87)]);
    expect(fourth).toEqual(direct);
  });

  it('follows a source that set its clock back by an hour', () => {
    const hour = 3_600_000;
    const ramp = Array.from({ length: 60 }, (_, i) =>
      reading(hour + i * 1000 - (i < 30 ? 0 : hour), 85 + i * 0.1),
    );
    const estimates = run(ramp);
    for (const estimate of estimates) {
      expect(Number.isFinite(estimate?.value)).toBe(true);
      expect(estimate?.covariance[0]).toBeGreaterThan(0);
      expect(estimate?.covariance[3]).toBeGreaterThan(0);
    }
    expect(estimates.at(-1)?.value).toBeCloseTo(90.9, 0);
    expect(estimates.at(-1)?.ratePerS).toBeCloseTo(0.1, 1);
  });

  it('never gives NaN or infinity at the ends of the number range', () => {
    const values = [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MAX_VALUE, 0, 5e-324, -Number.MAX_VALUE, 1];
    for (const estimate of run(values.map((value, i) => reading(i * 1000, value)))) {
      for (const figure of [
        estimate?.value,
        estimate?.ratePerS,
        estimate?.stdDev,
        ...(estimate?.covariance ?? []),
      ]) {
        expect(Number.isFinite(figure)).toBe(true);
      }
    }
  });

  it.each([
    [{ measurementVariance: 0 }, 'measurementVariance: 0 is not valid, expected a number > 0'],
    [{ processNoise: [0, -1] as const }, 'processNoise[1]: -1 is not valid, expected a number >= 0'],
    [
      { initialVariance: [Number.NaN, 1] as const },
      'initialVariance[0]: NaN is not valid, expected a number >= 0',
    ],
  ])('refuses %j', (options, message) => {
    expect(() => resolveEstimateOptions(options)).toThrow(new RangeError(message));
  });
});
